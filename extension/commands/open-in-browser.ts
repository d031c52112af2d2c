import * as vscode from 'vscode';
import type { Command } from './command.ts';
import { pickLocal } from './pick-local.ts';

/** `openExternal` forwards the port where the editor runs on another machine than the browser. */
export const openInBrowser: Command = async (caravan, row) => {
  const url = row?.target?.url ?? `http://${row?.target?.local ?? (await pickLocal(caravan, 'Open Service in Browser')).local}`;
  await vscode.env.openExternal(vscode.Uri.parse(url, true));
};
