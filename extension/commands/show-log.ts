import { existsSync } from 'node:fs';
import * as vscode from 'vscode';
import type { Caravan } from '../caravan.ts';
import { isLaptop } from '../sites/site-ref.ts';
import type { Row } from '../views/row.ts';
import type { SiteLogs } from '../views/site-logs.ts';

/** At a site its router's log, at anything else the extension's own. */
export async function showLog(
  { laptop }: Caravan,
  { own, sites }: { own: vscode.LogOutputChannel; sites: SiteLogs },
  row: Row | undefined,
): Promise<void> {
  const site = row?.flags.startsWith('site.') ? row.target?.site : undefined;
  if (site?.where === 'cluster') await sites.show(site);
  else if (site && isLaptop(site) && existsSync(laptop.logFile))
    await vscode.window.showTextDocument(vscode.Uri.file(laptop.logFile));
  else own.show();
}
