import * as vscode from 'vscode';
import { Caravan } from './caravan.ts';
import { kubeconfigFrom } from './clusters/kubeconfig-setting.ts';
import { guarded } from './commands/command.ts';
import { startDemo } from './commands/demo.ts';
import { registerCommands, SHOW_ALL_NAMESPACES } from './commands/register-commands.ts';
import { editorProxy } from './laptop/editor-proxy.ts';
import { registerTerminals } from './laptop/register-terminals.ts';
import { registerManifests } from './manifests/register-manifests.ts';
import { EXPLAIN_SCHEME, ExplainDocuments } from './views/explain-documents.ts';
import { SiteLogs } from './views/site-logs.ts';
import { registerViews } from './views/register-views.ts';
import { registerDebugConfigurations } from './workloads/debug-configurations.ts';
import { DebugIntercepts } from './workloads/debug-intercepts.ts';
import { registerWorkloadTasks } from './workloads/workload-tasks.ts';

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('Caravan', { log: true });
  const caravan = new Caravan({
    dist: vscode.Uri.joinPath(context.extensionUri, 'dist').fsPath,
    storage: context.globalStorageUri.fsPath,
    log,
    kubeconfig: () => {
      const { workspaceFolders: [folder] = [], getConfiguration } = vscode.workspace;
      return kubeconfigFrom(getConfiguration('caravan').get('kubeconfig'), folder?.uri.fsPath);
    },
    isTrusted: () => vscode.workspace.isTrusted,
    proxy: () => editorProxy(vscode.workspace.getConfiguration('http')),
    laptopCarriesTraffic: () => vscode.workspace.getConfiguration('caravan').get('laptopCarriesTraffic', false),
    showAllNamespaces: context.globalState.get(SHOW_ALL_NAMESPACES, false),
  });
  const explanations = new ExplainDocuments(caravan);
  const siteLogs = new SiteLogs();
  const intercepts = new DebugIntercepts(caravan);
  context.subscriptions.push(
    log,
    caravan,
    explanations,
    siteLogs,
    vscode.workspace.registerTextDocumentContentProvider(EXPLAIN_SCHEME, explanations),
    registerViews(caravan),
    registerManifests(caravan),
    registerTerminals(caravan, context.environmentVariableCollection),
    intercepts,
    registerDebugConfigurations(caravan, intercepts),
    registerWorkloadTasks(caravan),
    registerCommands(caravan, { own: log, sites: siteLogs }, context.globalState),
  );
  // `npm start` shows a live network to whoever has no cluster.
  if (process.env['CARAVAN_DEMO'] === '1' && vscode.workspace.isTrusted) {
    void vscode.commands.executeCommand('caravan.sites.focus');
    void guarded(caravan, 'caravan.startDemo', () => startDemo(caravan));
  }
}
