import { existsSync } from 'node:fs';
import * as vscode from 'vscode';
import type { Caravan } from '../caravan.ts';
import type { Row } from '../views/row.ts';

/** The extension's log; on this laptop's row, that of its router. */
export async function showLog({ laptop }: Caravan, log: vscode.LogOutputChannel, row: Row | undefined): Promise<void> {
  if (row?.flags.startsWith('site.laptop') && existsSync(laptop.logFile))
    await vscode.window.showTextDocument(vscode.Uri.file(laptop.logFile));
  else log.show();
}
