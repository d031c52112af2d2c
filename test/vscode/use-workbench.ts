import { after, afterEach, before, type TestContext } from 'node:test';
import type { VSCodeOptions } from './vscode-options.ts';
import { Workbench } from './workbench.ts';

/**
 * A VS Code for all tests of a `describe`: opened before the first, closed after the last. Where a test fails, a picture of the
 * window and VS Code's logs are kept in test/output.
 *
 * @param options What to start it with, or a function that is asked for it when it starts.
 */
export function useWorkbench(options: VSCodeOptions | (() => VSCodeOptions | Promise<VSCodeOptions>) = {}): Workbench {
  const workbench = new Workbench();

  // A runner that is interrupted passes the signal on, and what ends by a signal cleans up nothing.
  const exit = () => process.exit(1);

  before(
    async () => {
      process.on('SIGINT', exit).on('SIGTERM', exit);
      await workbench.open(typeof options === 'function' ? await options() : options);
    },
    // Installing code-server on a new machine is part of it.
    { timeout: 300_000 },
  );

  afterEach(async (context) => {
    // Node has it since 20.15; its types lack it.
    const { name, passed } = context as TestContext & { passed: boolean };
    if (passed) return;
    console.error(`Logs: ${workbench.keepLogs(name)}`);
    const picture = await workbench.screenshot(`failed-${name}`).catch((error: unknown) => `none, ${String(error)}`);
    console.error(`A picture: ${picture}`);
    await workbench.dismissAll();
  });

  after(async () => {
    await workbench.close();
    process.off('SIGINT', exit).off('SIGTERM', exit);
  });

  return workbench;
}
