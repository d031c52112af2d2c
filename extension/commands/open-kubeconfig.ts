import { existsSync } from 'node:fs';
import * as vscode from 'vscode';
import { CaravanError } from '../../runtime/errors.ts';
import type { Command } from './command.ts';

/** The file of the row's context; else the first one. */
export const openKubeconfig: Command = async ({ clusters }, row) => {
  await clusters.start();
  const { file, context } = row?.target ?? {};
  const found = clusters.contexts.find(({ info }) => info.name === context);
  const path = file ?? found?.info.file ?? clusters.kubeconfig?.files[0]?.path;
  if (path === undefined || !existsSync(path))
    throw new CaravanError('not-found', `There is no kubeconfig ${path ?? 'yet'}: your cluster's tool writes it.`);
  await vscode.window.showTextDocument(vscode.Uri.file(path));
};
