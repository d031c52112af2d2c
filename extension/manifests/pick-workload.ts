import * as vscode from 'vscode';
import { CaravanError } from '../../runtime/errors.ts';
import { pick } from '../commands/ask.ts';
import type { Workload } from './workloads.ts';

export interface InDocument<W = Workload> {
  document: vscode.TextDocument;
  workload: W;
}

/** The object that a lens names; from the palette the file's only one, else the one at the cursor, else a choice. */
export async function pickWorkload(title: string, uri: unknown, which: unknown): Promise<InDocument> {
  const document =
    uri instanceof vscode.Uri ? await vscode.workspace.openTextDocument(uri) : vscode.window.activeTextEditor?.document;
  if (!document)
    throw new CaravanError('bad-request', 'Open a manifest with a Service, Deployment, StatefulSet or DaemonSet first.');
  const { readManifest } = await import('./workloads.ts');
  const { workloads, broken } = readManifest(document.getText());
  const editor = vscode.window.activeTextEditor;
  const cursor = editor?.document === document ? editor.selection.active : new vscode.Position(0, 0);
  const named = isWhich(which)
    ? workloads.find(({ document: index, item }) => index === which.document && item === which.item)
    : undefined;
  if (named) return { document, workload: named };
  const here =
    broken.find(({ firstLine, lastLine }) => firstLine <= cursor.line && cursor.line <= lastLine) ??
    (workloads.length === 0 ? broken[0] : undefined);
  if (here) throw new CaravanError('bad-request', `${here.message} Mend it, then try again.`);
  if (workloads.length === 0)
    throw new CaravanError('bad-request', 'This file has no Service, Deployment, StatefulSet or DaemonSet to expose.');
  const offset = document.offsetAt(cursor);
  const atCursor = workloads.find(({ node: { range } }) => range[0] <= offset && offset <= range[1]);
  const only = workloads.length === 1 ? workloads[0] : undefined;
  const choices = workloads.map((value) => ({ label: value.name, description: value.kind, value }));
  return { document, workload: only ?? atCursor ?? (await pick(title, choices, 'Which object?')) };
}

function isWhich(value: unknown): value is Pick<Workload, 'document' | 'item'> {
  return typeof value === 'object' && value !== null && 'document' in value && typeof value.document === 'number';
}
