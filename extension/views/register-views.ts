import * as vscode from 'vscode';
import type { Caravan } from '../caravan.ts';
import { sentence } from '../../runtime/errors.ts';
import { isDemo, isLaptop } from '../sites/site-ref.ts';
import { SiteDrag } from './site-drag.ts';
import { serviceRows } from './service-rows.ts';
import { siteRows } from './site-rows.ts';
import { statusBarText } from './summary.ts';
import { RowTree } from './tree.ts';

/** Times are shown as `3 minutes ago`. */
const CLOCK_MS = 60_000;

const RESTRICTED = 'This folder is in Restricted Mode: no local router and no demo network start here.';

/** Both trees, the badge, the status bar and the context keys of welcome texts. */
export function registerViews(caravan: Caravan): vscode.Disposable {
  const sites = new RowTree(() => siteRows(caravan.picture.snapshot));
  const services = new RowTree(() => serviceRows(caravan.picture.snapshot, caravan.picture.networks));
  const siteView = vscode.window.createTreeView('caravan.sites', {
    treeDataProvider: sites,
    showCollapseAll: true,
    dragAndDropController: new SiteDrag(caravan),
  });
  const serviceView = vscode.window.createTreeView('caravan.services', { treeDataProvider: services });
  const statusBar = vscode.window.createStatusBarItem('caravan.network', vscode.StatusBarAlignment.Left, 10);
  statusBar.name = 'Caravan Network';
  statusBar.command = 'caravan.services.focus';

  // Clusters are asked for the first time when somebody looks.
  const look = ({ visible }: { visible: boolean }) => {
    caravan.clusters.seen(siteView.visible || serviceView.visible);
    if (visible) caravan.clusters.start().catch((error) => caravan.log.error(sentence(error)));
  };
  const configured = (change: vscode.ConfigurationChangeEvent) => {
    if (change.affectsConfiguration('caravan.kubeconfig') && caravan.clusters.condition !== 'unread')
      caravan.clusters.reload().catch((error) => caravan.log.error(sentence(error)));
    if (change.affectsConfiguration('caravan')) draw();
  };
  const draw = () => {
    sites.refresh();
    services.refresh();
    const { problems, networks, snapshot } = caravan.picture;
    // An empty view has its welcome, which a message would hide.
    const isRestricted = !vscode.workspace.isTrusted && siteRows(snapshot).length > 0;
    siteView.message = isRestricted ? RESTRICTED : undefined;
    siteView.badge = problems.length > 0 ? { value: problems.length, tooltip: problems.join('\n') } : undefined;
    drawStatusBar(statusBar, statusBarText(networks, problems), problems);
    setContextKeys(caravan);
  };
  const clock = setInterval(() => (siteView.visible || serviceView.visible) && caravan.redraw(), CLOCK_MS);
  const parts = [
    sites,
    services,
    siteView,
    serviceView,
    statusBar,
    siteView.onDidChangeVisibility(look),
    serviceView.onDidChangeVisibility(look),
    vscode.workspace.onDidChangeConfiguration(configured),
    vscode.workspace.onDidGrantWorkspaceTrust(draw),
    caravan.onChange(draw),
    { dispose: () => clearInterval(clock) },
  ];
  look(siteView);
  look(serviceView);
  draw();
  return vscode.Disposable.from(...parts);
}

function drawStatusBar(item: vscode.StatusBarItem, shown: { text: string; label: string } | undefined, problems: string[]): void {
  if (!shown || !vscode.workspace.getConfiguration('caravan').get('statusBar', true)) return item.hide();
  item.text = shown.text;
  item.tooltip = [shown.label, ...problems].join('\n');
  item.accessibilityInformation = { label: shown.label };
  item.show();
}

const keys = new Map<string, unknown>();

/** What `when` clauses of package.json ask for; each is sent when it changed. */
function setContextKeys({ picture, clusters }: Caravan): void {
  const { snapshot, networks } = picture;
  const laptop = snapshot.sites.find(({ ref }) => isLaptop(ref));
  const now = {
    'caravan.kubeconfig': clusters.condition,
    'caravan.hasSite': snapshot.sites.length > 0 || snapshot.contexts.some(({ found }) => found?.sites.length),
    'caravan.hasNetwork': networks.length > 0,
    'caravan.laptop': laptop ? 'on' : 'off',
    'caravan.demo':
      snapshot.demo.state === 'off' && snapshot.sites.some(({ ref }) => isDemo(ref)) ? 'elsewhere' : snapshot.demo.state,
    'caravan.showAllNamespaces': snapshot.showAllNamespaces,
  };
  for (const [key, value] of Object.entries(now)) {
    if (keys.get(key) === value) continue;
    keys.set(key, value);
    void vscode.commands.executeCommand('setContext', key, value);
  }
}
