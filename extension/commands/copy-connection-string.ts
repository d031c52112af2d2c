import * as vscode from 'vscode';
import type { Command } from './command.ts';
import { pickLocal } from './pick-local.ts';

export const copyConnectionString: Command = async (caravan, row) => {
  const connection = row?.target?.connection ?? (await pickLocal(caravan, 'Copy Connection String')).connection;
  await vscode.env.clipboard.writeText(connection);
  vscode.window.setStatusBarMessage(`${connection} is in the clipboard.`, 3000);
};
