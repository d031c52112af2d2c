import * as vscode from 'vscode';
import type { Caravan } from '../caravan.ts';
import type { SiteLogs } from '../views/site-logs.ts';
import { asRow, type Command, guarded } from './command.ts';
import { changePort } from './change-port.ts';
import { copyAddress } from './copy-address.ts';
import { copyConnectionString } from './copy-connection-string.ts';
import { createSite } from './create-site.ts';
import { deleteSite } from './delete-site.ts';
import { startDemo, stopDemo } from './demo.ts';
import { explain } from './explain.ts';
import { exposeOnNetwork } from './expose-on-network.ts';
import { exposePort } from './expose-port.ts';
import { intercept } from './intercept.ts';
import { join } from './join.ts';
import { leave } from './leave.ts';
import { linkSites } from './link-sites.ts';
import { openInBrowser } from './open-in-browser.ts';
import { openKubeconfig } from './open-kubeconfig.ts';
import { openTerminal } from './open-terminal.ts';
import { refresh, retry } from './refresh.ts';
import { removeLink } from './remove-link.ts';
import { showLog } from './show-log.ts';
import { stopExposing } from './stop-exposing.ts';
import { stopExposingPort } from './stop-exposing-port.ts';
import { stopIntercepting } from './stop-intercepting.ts';
import { upgradeSite } from './upgrade-site.ts';

/** What the manifest contributes; a test keeps both alike. */
export const COMMANDS: Record<string, Command> = {
  'caravan.createSite': createSite,
  'caravan.upgradeSite': upgradeSite,
  'caravan.deleteSite': deleteSite,
  'caravan.linkSites': linkSites,
  'caravan.removeLink': removeLink,
  'caravan.join': join,
  'caravan.leave': leave,
  'caravan.exposePort': exposePort,
  'caravan.stopExposingPort': stopExposingPort,
  'caravan.intercept': intercept,
  'caravan.stopIntercepting': stopIntercepting,
  'caravan.openInBrowser': openInBrowser,
  'caravan.copyAddress': copyAddress,
  'caravan.copyConnectionString': copyConnectionString,
  'caravan.changePort': changePort,
  'caravan.openTerminal': openTerminal,
  'caravan.explain': explain,
  'caravan.refresh': refresh,
  'caravan.retry': retry,
  'caravan.openKubeconfig': openKubeconfig,
  'caravan.startDemo': startDemo,
  'caravan.stopDemo': stopDemo,
};

/** Commands of manifests take a document and an object in it, not a row. */
const MANIFEST_COMMANDS = { 'caravan.exposeOnNetwork': exposeOnNetwork, 'caravan.stopExposing': stopExposing };

const WALKTHROUGH = 'caravan.caravan#start';

export function registerCommands(
  caravan: Caravan,
  logs: { own: vscode.LogOutputChannel; sites: SiteLogs },
  state: vscode.Memento,
): vscode.Disposable {
  const register = vscode.commands.registerCommand;
  const showAll = async (show: boolean) => {
    caravan.showAllNamespaces(show);
    await state.update(SHOW_ALL_NAMESPACES, show);
  };
  return vscode.Disposable.from(
    ...Object.entries(COMMANDS).map(([id, run]) =>
      register(id, (argument: unknown) => guarded(caravan, id, () => run(caravan, asRow(argument)))),
    ),
    ...Object.entries(MANIFEST_COMMANDS).map(([id, run]) =>
      register(id, (uri: unknown, which: unknown) => guarded(caravan, id, () => run(caravan, uri, which))),
    ),
    register('caravan.showLog', (argument: unknown) =>
      guarded(caravan, 'caravan.showLog', () => showLog(caravan, logs, asRow(argument))),
    ),
    register('caravan.showAllNamespaces', () => showAll(true)),
    register('caravan.hideEmptyNamespaces', () => showAll(false)),
    register('caravan.openWalkthrough', () =>
      vscode.commands.executeCommand('workbench.action.openWalkthrough', WALKTHROUGH, false),
    ),
  );
}

export const SHOW_ALL_NAMESPACES = 'showAllNamespaces';
