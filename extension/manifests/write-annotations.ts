import { posix } from 'node:path';
import * as vscode from 'vscode';
import { CaravanError } from '../../runtime/errors.ts';
import type { WorkloadRef } from '../../runtime/kubernetes/types.ts';
import type { Caravan } from '../caravan.ts';
import { withProgress } from '../commands/ask.ts';
import { knownContexts } from '../commands/known.ts';
import { findLive, type LiveObject, placesOf } from './live-objects.ts';
import type { InDocument } from './pick-workload.ts';
import type { Workload } from './workloads.ts';

/** An edit that sets annotations of an object in its file; null removes one. Undefined: they are so already. */
export async function toTextEdit(
  { document, workload }: InDocument<Pick<Workload, 'document' | 'item'>>,
  annotations: Record<string, string | null>,
): Promise<vscode.WorkspaceEdit | undefined> {
  const { editAnnotations } = await import('./edit-annotations.ts');
  const { start, end, text } = editAnnotations(document.getText(), workload, annotations);
  if (start === end && text === '') return undefined;
  const edit = new vscode.WorkspaceEdit();
  edit.replace(document.uri, new vscode.Range(document.positionAt(start), document.positionAt(end)), text);
  return edit;
}

/** Writes annotations into the file, and saves it where it was saved before: an edit nobody asked to keep apart. */
export async function writeInFile(found: InDocument, annotations: Record<string, string | null>): Promise<void> {
  const { document } = found;
  const edit = await toTextEdit(found, annotations);
  if (!edit) return;
  const wasSaved = !document.isDirty && !document.isUntitled;
  const name = posix.basename(document.uri.path);
  if (!(await vscode.workspace.applyEdit(edit)))
    throw new CaravanError('conflict', `${name} cannot be edited: see whether it is read-only, then try again.`);
  if (wasSaved && !(await document.save()))
    throw new CaravanError('not-saved', `${name} is edited but cannot be saved: save it yourself, then try again.`);
}

/** Asks every context that answers for the object. */
export async function liveObjects(caravan: Caravan, { workload }: InDocument): Promise<LiveObject[]> {
  const contexts = await knownContexts(caravan);
  if (contexts.length === 0) return [];
  return await withProgress(`Caravan: looking for ${workload.kind} ${workload.name}`, async (_, signal) => {
    const places = placesOf(workload, contexts, caravan.clusters.paths);
    return await findLive(places, await caravan.kubernetes(), signal);
  });
}

export async function annotateLive(
  caravan: Caravan,
  ref: WorkloadRef,
  annotations: Record<string, string | null>,
): Promise<void> {
  const { kind, name, context, namespace } = ref;
  await withProgress(`Caravan: ${kind} ${name} in ${context}/${namespace}`, async (_, signal) => {
    const kubernetes = await caravan.kubernetes();
    await caravan.operations.run(`annotate ${kind} ${name} in ${context}/${namespace}`, () =>
      kubernetes.annotate(ref, annotations, { signal }),
    );
  });
}
