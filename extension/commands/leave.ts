import { CaravanError } from '../../runtime/errors.ts';
import { leaveNetwork } from '../../runtime/api/laptop/leave.ts';
import { confirm, tell, withProgress } from './ask.ts';
import type { Command } from './command.ts';

export const leave: Command = async (caravan) => {
  const { laptop, operations, local } = caravan;
  if (!(await laptop.isRunning())) throw new CaravanError('not-running', 'This laptop is in no network.');
  const offered = [...new Set(caravan.sites.laptop?.status?.connectors.map(({ address }) => address))];
  if (offered.length > 0)
    await confirm('Leave the network with this laptop?', `What it offers goes with it: ${offered.join(', ')}.`, 'Leave');
  await withProgress('Caravan: this laptop leaves', (_, signal) =>
    operations.run('leave the network', () => leaveNetwork(caravan.api(laptop.ref), () => laptop.ended(), signal)),
  );
  await local.look();
  tell('This laptop has left: its links, ports and router are gone.');
};
