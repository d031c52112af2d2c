import * as vscode from 'vscode';
import type { Caravan } from '../caravan.ts';
import { TerminalEnvironment } from './terminal-environment.ts';

const SETTING = 'caravan.terminalEnvironment';

/** Keeps the environment of integrated terminals current while this laptop's router runs. */
export function registerTerminals(caravan: Caravan, variables: vscode.EnvironmentVariableCollection): vscode.Disposable {
  const environment = new TerminalEnvironment(variables);
  const update = () => {
    const { laptop } = caravan.sites;
    if (!laptop || !vscode.workspace.getConfiguration().get(SETTING, true)) return environment.update(undefined);
    // While the connection to it is lost, what was heard last is likelier than nothing.
    return laptop.status && environment.update(laptop.status);
  };
  update();
  return vscode.Disposable.from(
    caravan.onChange(update),
    vscode.workspace.onDidChangeConfiguration((change) => change.affectsConfiguration(SETTING) && update()),
  );
}
