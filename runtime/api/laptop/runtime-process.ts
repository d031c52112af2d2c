import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { CaravanError } from '../../errors.ts';
import { PROCESS_ENVIRONMENT } from '../process-environment.ts';

export type Spawn = (command: string, args: string[], options: SpawnOptions) => ChildProcess;

/** How a process of the bundled runtime is started: on VS Code's own Node, so nothing needs to be installed. */
export interface RuntimeProcess {
  /** `dist/caravan.cjs` of the installed extension. */
  script: string;
  spawn?: Spawn;
  execPath?: string;
  env?: NodeJS.ProcessEnv;
  /** Whether this window may start one: not in Restricted Mode. Welcome texts and walkthroughs run commands that menus leave out. */
  isTrusted?: () => boolean;
  /** What leads out of the company's network where the environment does not say: VS Code's own settings, in a router's words. */
  proxy?: () => { HTTPS_PROXY?: string; NO_PROXY?: string };
}

export function startRuntime(runtime: RuntimeProcess, args: string[], options: SpawnOptions): ChildProcess {
  if (runtime.isTrusted?.() === false)
    throw new CaravanError(
      'forbidden',
      'In Restricted Mode, no local router and no demo network start: trust this folder first.',
    );
  const { script, execPath = process.execPath, env = process.env } = runtime;
  const proxy = env['HTTPS_PROXY'] || env['https_proxy'] ? {} : runtime.proxy?.();
  return (runtime.spawn ?? spawn)(execPath, [script, ...args], {
    windowsHide: true,
    ...options,
    env: { ...runtimeEnv(env), ...proxy },
  });
}

/** What the editor sets for its own processes must not reach ours: NODE_OPTIONS may load a debugger that only it has. */
function runtimeEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !/^(VSCODE_|ELECTRON_|NODE_OPTIONS$|CARAVAN_DEMO$)/.test(name));
  return { ...PROCESS_ENVIRONMENT, ...Object.fromEntries(kept), ELECTRON_RUN_AS_NODE: '1' };
}
