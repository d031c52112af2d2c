import * as vscode from 'vscode';
import type { Caravan } from '../caravan.ts';
import { guarded } from '../commands/command.ts';
import type { DebugIntercepts } from './debug-intercepts.ts';
import { type LaunchConfig, TYPE, withEnvironment } from './launch-config.ts';
import { workloadEnvironment } from './workload-environment.ts';

/** Launch configurations of type `caravan`: another debugger's, with the environment of a workload's pods. */
export class DebugConfigurations implements vscode.DebugConfigurationProvider {
  readonly #caravan: Caravan;
  readonly #intercepts: DebugIntercepts;

  constructor(caravan: Caravan, intercepts: DebugIntercepts) {
    this.#caravan = caravan;
    this.#intercepts = intercepts;
  }

  /** Another type than ours is resolved on by its own debugger. Undefined: nothing is run. */
  async resolveDebugConfiguration(
    _folder: vscode.WorkspaceFolder | undefined,
    config: vscode.DebugConfiguration,
  ): Promise<vscode.DebugConfiguration | undefined> {
    let resolved: vscode.DebugConfiguration | undefined;
    await guarded(this.#caravan, 'debug', async () => {
      const wanted = config as vscode.DebugConfiguration & LaunchConfig;
      // What it lacks is said before anything is asked.
      withEnvironment(wanted, {});
      const intercept = this.#intercepts.read(config['intercept']);
      const inner = withEnvironment(wanted, await workloadEnvironment(this.#caravan, wanted));
      resolved = intercept ? this.#intercepts.marked(inner, intercept) : inner;
    });
    return resolved;
  }
}

export function registerDebugConfigurations(caravan: Caravan, intercepts: DebugIntercepts): vscode.Disposable {
  return vscode.debug.registerDebugConfigurationProvider(TYPE, new DebugConfigurations(caravan, intercepts));
}
