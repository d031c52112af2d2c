import * as vscode from 'vscode';
import type { Command } from './command.ts';
import { pickLocal } from './pick-local.ts';

export const copyAddress: Command = async (caravan, row) => {
  const address = row?.target?.local ?? (await pickLocal(caravan, 'Copy Address')).local;
  await vscode.env.clipboard.writeText(address);
  vscode.window.setStatusBarMessage(`${address} is in the clipboard.`, 3000);
};
