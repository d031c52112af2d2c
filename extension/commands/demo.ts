import { withProgress } from './ask.ts';
import type { Command } from './command.ts';

export const startDemo: Command = async ({ demo, operations, local }) => {
  await withProgress('Caravan: starting the demo network', (_, signal) =>
    operations.run('start the demo network', () => demo.start(signal)),
  );
  await local.look();
};

export const stopDemo: Command = async ({ demo, operations, local }) => {
  await operations.run('stop the demo network', () => demo.stop());
  await local.look();
};
