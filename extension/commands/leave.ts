import { CaravanError } from '../../runtime/errors.ts';
import { leaveNetwork } from '../../runtime/api/laptop/leave.ts';
import { tell, withProgress } from './ask.ts';
import type { Command } from './command.ts';

export const leave: Command = async (caravan) => {
  const { laptop, operations, local } = caravan;
  if (!(await laptop.isRunning())) throw new CaravanError('not-running', 'This laptop is in no network.');
  await withProgress('Caravan: this laptop leaves', (_, signal) =>
    operations.run('leave the network', () => leaveNetwork(caravan.api(laptop.ref), () => laptop.ended(), signal)),
  );
  await local.look();
  tell('This laptop has left: its links, ports and router are gone.');
};
