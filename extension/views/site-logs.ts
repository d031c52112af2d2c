import * as vscode from 'vscode';
import { redact } from '../../runtime/redact.ts';
import { type ClusterRef, siteKey, siteLabel } from '../sites/site-ref.ts';

const SCHEME = 'caravan-log';

/** The last lines of what routers in clusters log: one document a site, as it was read last, for as long as it is open. */
export class SiteLogs implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changed.event;
  readonly #texts = new Map<string, string>();
  readonly #parts: vscode.Disposable;

  constructor() {
    this.#parts = vscode.Disposable.from(
      this.#changed,
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => this.#texts.delete(uri.toString())),
    );
  }

  /** Where the site's document is, which has this text now. */
  put(site: ClusterRef, text: string): vscode.Uri {
    const path = `/${siteLabel(site).replaceAll('/', '∕')}.log`;
    const uri = vscode.Uri.from({ scheme: SCHEME, path, query: siteKey(site) });
    this.#texts.set(uri.toString(), redact(text));
    this.#changed.fire(uri);
    return uri;
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    // A tab that VS Code restored is one of an earlier window.
    return this.#texts.get(uri.toString()) ?? 'Choose "Show Log" at the site again.';
  }

  dispose(): void {
    this.#parts.dispose();
  }
}
