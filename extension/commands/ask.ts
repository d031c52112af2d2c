import * as vscode from 'vscode';
import type { Progress } from '../../runtime/kubernetes/types.ts';
import { Cancelled, toSignal } from '../like.ts';

export interface Choice<T> extends vscode.QuickPickItem {
  value: T;
}

/** One of the choices; closing the list ends the command. */
export async function pick<T>(title: string, choices: Choice<T>[], placeHolder = ''): Promise<T> {
  const options = { title, placeHolder, ignoreFocusOut: true, matchOnDescription: true };
  const chosen = await vscode.window.showQuickPick(choices, options);
  if (!chosen) throw new Cancelled();
  return chosen.value;
}

/** Some of the choices, all at first; closing the list ends the command. */
export async function pickSome<T>(title: string, choices: Choice<T>[], placeHolder: string): Promise<T[]> {
  const options = { title, placeHolder, ignoreFocusOut: true, canPickMany: true as const };
  const all = choices.map((choice) => ({ ...choice, picked: true }));
  const chosen = await vscode.window.showQuickPick(all, options);
  if (!chosen) throw new Cancelled();
  return chosen.map(({ value }) => value);
}

/** A text that `problem` finds nothing wrong with; closing the box ends the command. */
export async function ask(
  title: string,
  prompt: string,
  value: string,
  problem: (text: string) => string | undefined,
): Promise<string> {
  const text = await vscode.window.showInputBox({ title, prompt, value, ignoreFocusOut: true, validateInput: problem });
  if (text === undefined) throw new Cancelled();
  return text.trim();
}

/** Runs work that a person started and may take longer than a second. */
export async function withProgress<T>(title: string, work: (progress: Progress, signal: AbortSignal) => Promise<T>): Promise<T> {
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  return await vscode.window.withProgress(options, async (progress, token) => {
    const signal = toSignal(token);
    return await orCancelled(
      work((message) => progress.report({ message }), signal),
      signal,
    );
  });
}

/** Ends the wait when it is cancelled, even where the work listens late. */
function orCancelled<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = () => reject(new Cancelled());
    signal.addEventListener('abort', cancel, { once: true });
    work.then(resolve, (error: unknown) => (signal.aborted ? cancel() : reject(error as Error)));
  });
}

export async function confirm(question: string, detail: string, yes: string): Promise<void> {
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, yes)) !== yes) throw new Cancelled();
}

/** Says that something is done, without waiting for an answer; `action` runs a command. */
export function tell(message: string, action?: { title: string; command: string }): void {
  const buttons = action ? [action.title] : [];
  void vscode.window.showInformationMessage(message, ...buttons).then((chosen) => {
    if (action && chosen === action.title) void vscode.commands.executeCommand(action.command);
  });
}

/** Kubernetes' rule for names of namespaces, and what others call a service by. */
export function nameProblem(text: string): string | undefined {
  return /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text.trim()) ? undefined : 'Lower case letters, digits and "-", at most 63.';
}

export function portProblem(text: string): string | undefined {
  return /^\d{1,5}$/.test(text.trim()) && Number(text) >= 1 && Number(text) <= 65_535 ? undefined : 'A number from 1 to 65535.';
}
