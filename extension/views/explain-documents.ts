import * as vscode from 'vscode';
import { sentence } from '../../runtime/errors.ts';
import type { Caravan } from '../caravan.ts';
import { debounce } from '../emitter.ts';
import { isCancelled, toSignal } from '../like.ts';
import { siteKey, siteLabel, type SiteRef } from '../sites/site-ref.ts';
import { explainText } from './explain-text.ts';

export const EXPLAIN_SCHEME = 'caravan-explain';

/** Every refresh asks a site. Milliseconds. */
const REFRESH_MS = 2000;

/** One stable document an address, so that explaining twice opens one tab; it follows the network's changes. */
export class ExplainDocuments implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #caravan: Caravan;
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changed.event;
  readonly #parts: vscode.Disposable;
  /** By their address as a text. */
  readonly #shown = new Map<string, vscode.Uri>();

  constructor(caravan: Caravan) {
    this.#caravan = caravan;
    const refresh = () => {
      const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs.map(({ label }) => label));
      for (const [key, uri] of this.#shown) {
        // What cannot be opened any more is shown no more.
        if (tabs.some((label) => label.includes(uri.path.slice(1)))) this.#refresh(uri).catch(() => this.#shown.delete(key));
        else this.#shown.delete(key);
      }
    };
    const later = debounce(refresh, REFRESH_MS);
    const listener = caravan.onChange(later);
    this.#parts = vscode.Disposable.from(this.#changed, { dispose: () => void (later.dispose(), listener.dispose()) });
  }

  /** A preview has no editor, and VS Code drops documents without one after a few minutes: opened again, it hears of the change. */
  async #refresh(uri: vscode.Uri): Promise<void> {
    await vscode.workspace.openTextDocument(uri);
    this.#changed.fire(uri);
  }

  static uri(address: string, site: SiteRef): vscode.Uri {
    const query = new URLSearchParams({ address, site: siteKey(site) });
    // A tab is called after the last part of the path: "mc/news" is to stay whole.
    const name = `Explain ${address} from ${siteLabel(site)}`.replaceAll('/', '∕');
    return vscode.Uri.from({ scheme: EXPLAIN_SCHEME, path: `/${name}.md`, query: query.toString() });
  }

  async provideTextDocumentContent(uri: vscode.Uri, token: vscode.CancellationToken): Promise<string> {
    const query = new URLSearchParams(uri.query);
    const address = query.get('address') ?? '';
    this.#shown.set(uri.toString(), uri);
    try {
      const site = this.#caravan.siteKnowing(address, query.get('site') ?? undefined);
      const explanation = await this.#caravan.api(site).explain(address, toSignal(token));
      return explainText(explanation, siteLabel(site), new Date());
    } catch (error) {
      return isCancelled(error) ? '' : `# ${address}\n\n${sentence(error)}\n`;
    }
  }

  dispose(): void {
    this.#parts.dispose();
  }
}
