import * as vscode from 'vscode';
import { sentence } from '../../runtime/errors.ts';
import type { Caravan } from '../caravan.ts';
import { debounce } from '../emitter.ts';
import { isCancelled } from '../like.ts';
import { siteLabel } from '../sites/site-ref.ts';
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

  constructor(caravan: Caravan) {
    this.#caravan = caravan;
    const refresh = () => {
      for (const { uri } of vscode.workspace.textDocuments) if (uri.scheme === EXPLAIN_SCHEME) this.#changed.fire(uri);
    };
    const later = debounce(refresh, REFRESH_MS);
    const listener = caravan.onChange(later);
    this.#parts = vscode.Disposable.from(this.#changed, { dispose: () => void (later.dispose(), listener.dispose()) });
  }

  static uri(address: string): vscode.Uri {
    return vscode.Uri.from({ scheme: EXPLAIN_SCHEME, path: `/Explain ${address}.md`, query: address });
  }

  async provideTextDocumentContent({ query }: vscode.Uri): Promise<string> {
    try {
      const site = this.#caravan.siteKnowing(query);
      const explanation = await this.#caravan.api(site).explain(query);
      return explainText(explanation, siteLabel(site));
    } catch (error) {
      return isCancelled(error) ? '' : `# ${query}\n\n${sentence(error)}\n`;
    }
  }

  dispose(): void {
    this.#parts.dispose();
  }
}
