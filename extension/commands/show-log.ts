import { existsSync } from 'node:fs';
import * as vscode from 'vscode';
import type { Caravan } from '../caravan.ts';
import { type ClusterRef, isLaptop, siteLabel } from '../sites/site-ref.ts';
import type { Row } from '../views/row.ts';
import type { SiteLogs } from '../views/site-logs.ts';
import { withProgress } from './ask.ts';

/** At a site its router's log, at anything else the extension's own. */
export async function showLog(
  caravan: Caravan,
  { own, sites }: { own: vscode.LogOutputChannel; sites: SiteLogs },
  row: Row | undefined,
): Promise<void> {
  const { logFile } = caravan.laptop;
  const site = row?.flags.startsWith('site.') ? row.target?.site : undefined;
  if (site?.where === 'cluster') await open(sites.put(site, await read(caravan, site)));
  else if (site && isLaptop(site) && existsSync(logFile)) await vscode.window.showTextDocument(vscode.Uri.file(logFile));
  else own.show();
}

async function read({ kubernetes, operations }: Caravan, site: ClusterRef): Promise<string> {
  const label = siteLabel(site);
  return await withProgress(`Caravan: reading the log of ${label}`, async (_, signal) => {
    const cluster = await kubernetes();
    return await operations.run(`read the log of ${label}`, () => cluster.siteLog(site, { signal }));
  });
}

async function open(uri: vscode.Uri): Promise<void> {
  const document = await vscode.workspace.openTextDocument(uri);
  const editor = await vscode.window.showTextDocument(document);
  // The newest lines are the last ones.
  editor.revealRange(document.lineAt(document.lineCount - 1).range);
}
