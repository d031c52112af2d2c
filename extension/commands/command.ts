import * as vscode from 'vscode';
import { CaravanError, sentence } from '../../runtime/errors.ts';
import type { Caravan } from '../caravan.ts';
import { isCancelled } from '../like.ts';
import { redact } from '../../runtime/redact.ts';
import type { Row } from '../views/row.ts';

/** What a command does; `row` is where its menu was opened. A rejection is shown to the person who ran it. */
export type Command = (caravan: Caravan, row?: Row) => Promise<void>;

/** Runs a command's work; its failure is one sentence in a notification. */
export async function guarded({ log }: Caravan, id: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (isCancelled(error)) return;
    // Anything but a CaravanError is a defect: its stack belongs into the log.
    if (!(error instanceof CaravanError))
      log.error(`${id}: ${redact(error instanceof Error ? (error.stack ?? error.message) : String(error))}`);
    const chosen = await vscode.window.showErrorMessage(redact(sentence(error)), 'Show Log');
    if (chosen) void vscode.commands.executeCommand('caravan.showLog');
  }
}

/** A row of our trees, as menus pass it: keyboard shortcuts pass nothing, and other extensions anything. */
export function asRow(argument: unknown): Row | undefined {
  return typeof argument === 'object' && argument !== null && 'flags' in argument && 'id' in argument
    ? (argument as Row)
    : undefined;
}
