import { CaravanError } from '../../runtime/errors.ts';
import { pick } from './ask.ts';
import type { Command } from './command.ts';

export const stopExposingPort: Command = async (caravan, row) => {
  const site = row?.target?.site ?? caravan.laptop.ref;
  const name = row?.target?.resource?.name ?? (await pickConnector());
  await caravan.operations.run(`stop exposing ${name}`, () => caravan.api(site).remove({ kind: 'Connector', name }));

  async function pickConnector(): Promise<string> {
    const connectors = caravan.sites.laptop?.status?.connectors ?? [];
    if (connectors.length === 0) throw new CaravanError('not-found', 'This laptop exposes nothing.');
    const choices = connectors.map((found) => ({ label: found.address, description: `port ${found.port}`, value: found.name }));
    return await pick('Stop Exposing', choices, 'Which of its ports?');
  }
};
