import * as vscode from 'vscode';
import type { Command } from './command.ts';

export const openKubeconfig: Command = async ({ clusters }, row) => {
  const path = row?.target?.file ?? clusters.kubeconfig?.files[0]?.path;
  if (path) await vscode.window.showTextDocument(vscode.Uri.file(path));
};
