import * as vscode from 'vscode';
import { redact } from '../../runtime/redact.ts';
import type { Caravan } from '../caravan.ts';
import { withProgress } from '../commands/ask.ts';
import { type ClusterRef, siteKey, siteLabel } from '../sites/site-ref.ts';

const SCHEME = 'caravan-log';

/** The last lines of what routers in clusters log: one document a site, read again whenever it is asked for. */
export class SiteLogs implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #caravan: Caravan;
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changed.event;
  readonly #texts = new Map<string, string>();
  readonly #registration: vscode.Disposable;

  constructor(caravan: Caravan) {
    this.#caravan = caravan;
    this.#registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  }

  async show(ref: ClusterRef): Promise<void> {
    const label = siteLabel(ref);
    const text = await withProgress(`Caravan: reading the log of ${label}`, async (_, signal) => {
      const kubernetes = await this.#caravan.kubernetes();
      return this.#caravan.operations.run(`read the log of ${label}`, () => kubernetes.siteLog(ref, { signal }));
    });
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${label.replaceAll('/', '∕')}.log`, query: siteKey(ref) });
    this.#texts.set(uri.toString(), redact(text));
    this.#changed.fire(uri);
    const document = await vscode.workspace.openTextDocument(uri);
    const editor = await vscode.window.showTextDocument(document);
    // The newest lines are the last ones.
    editor.revealRange(document.lineAt(document.lineCount - 1).range);
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    // A tab that VS Code restored is one of an earlier window.
    return this.#texts.get(uri.toString()) ?? 'Choose "Show Log" at the site again.';
  }

  dispose(): void {
    this.#registration.dispose();
    this.#changed.dispose();
  }
}
