import * as vscode from 'vscode';
import { guessProtocol } from '../../runtime/kubernetes/annotations.ts';
import { CaravanError } from '../../runtime/errors.ts';
import { protocolsAfter } from '../protocols-after.ts';
import type { Caravan } from '../caravan.ts';
import type { ListeningPort } from '../laptop/ports/listening-port.ts';
import { listeningPorts } from '../laptop/ports/listening-ports.ts';
import { ask, type Choice, nameProblem, pick, portProblem, tell } from './ask.ts';
import type { Command } from './command.ts';

const TITLE = 'Expose a Port of This Laptop';

export const exposePort: Command = async (caravan) => {
  if (!(await caravan.laptop.isRunning()))
    throw new CaravanError('not-running', 'This laptop is in no network yet: use "Join with This Laptop" first.');
  const { host, port } = await pickPort(caravan);
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

/** One of the ports where programs listen; where none is found, or another is meant, it is typed. */
async function pickPort({ sites }: Caravan): Promise<ListeningPort> {
  const { listeners = [], proxy } = sites.laptop?.status ?? {};
  // The router's own ports lead into the network: out again through the same router they would go round.
  const own = new Set([...listeners.filter(({ state }) => state === 'open'), ...(proxy ? [proxy] : [])].map(({ port }) => port));
  const found = (await listeningPorts()).filter(({ port }) => !own.has(port));
  const choices = found.map((value) => ({ label: String(value.port), description: value.process ?? '', value }));
  const another: Choice<ListeningPort | undefined> = { label: '$(edit) Another Port…', value: undefined };
  const chosen =
    choices.length > 0
      ? await pick<ListeningPort | undefined>(TITLE, [...choices, another], 'Where does your program listen?')
      : undefined;
  if (chosen) return chosen;
  const port = Number(await ask(TITLE, 'The port on 127.0.0.1 where your program listens', '', portProblem));
  return { host: '127.0.0.1', port };
}
