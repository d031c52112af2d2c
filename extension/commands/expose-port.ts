import * as vscode from 'vscode';
import { guessProtocol } from '../../runtime/kubernetes/annotations.ts';
import { CaravanError } from '../../runtime/errors.ts';
import { protocolsAfter } from '../protocols-after.ts';
import { ask, nameProblem, pick, tell } from './ask.ts';
import type { Command } from './command.ts';
import { pickPort } from './pick-port.ts';

const TITLE = 'Expose a Port of This Laptop';

export const exposePort: Command = async (caravan) => {
  if (!(await caravan.laptop.isRunning()))
    throw new CaravanError('not-running', 'This laptop is in no network yet: use "Join with This Laptop" first.');
  const { host, port } = await pickPort(caravan, TITLE);
  const proposed = (vscode.workspace.name ?? '').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, ''); // prettier-ignore
  const address = await ask(TITLE, 'The address: the name under which the whole network reaches it', proposed, nameProblem);
  const guess = guessProtocol({ port });
  const type = await pick(
    TITLE,
    protocolsAfter(guess).map((value) => ({ label: value, description: value === guess ? `usual for port ${port}` : '', value })),
    'What does it speak?',
  );
  const expose = () => caravan.api(caravan.laptop.ref).expose({ address, port, host, type });
  await caravan.operations.run(`expose port ${port} of this laptop as ${address}`, expose);
  tell(`Port ${port} of this laptop is ${address} for the whole network.`);
};
