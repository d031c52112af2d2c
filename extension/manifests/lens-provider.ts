import * as vscode from 'vscode';
import type { Caravan } from '../caravan.ts';
import { type Lens, type LensAction, lensesOf } from './lenses.ts';
import type { ManifestCache } from './manifest-cache.ts';

const COMMANDS: Record<LensAction, string> = {
  expose: 'caravan.exposeOnNetwork',
  explain: 'caravan.explain',
  open: 'caravan.openInBrowser',
  stop: 'caravan.stopExposing',
  none: '',
};

/** Code lenses of YAML documents; drawn again when what they show of the network changed. */
export class LensProvider implements vscode.CodeLensProvider, vscode.Disposable {
  readonly #caravan: Caravan;
  readonly #manifests: ManifestCache;
  readonly #isEditable: (document: vscode.TextDocument) => boolean;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChangeCodeLenses = this.#changed.event;
  readonly #parts: vscode.Disposable;
  #services = '';

  constructor(caravan: Caravan, manifests: ManifestCache, isEditable: (document: vscode.TextDocument) => boolean) {
    this.#caravan = caravan;
    this.#manifests = manifests;
    this.#isEditable = isEditable;
    const listener = caravan.onChange(() => this.#refresh());
    const settings = vscode.workspace.onDidChangeConfiguration(
      (change) => change.affectsConfiguration('caravan.codeLens') && this.#changed.fire(),
    );
    this.#parts = vscode.Disposable.from(this.#changed, settings, { dispose: () => void listener.dispose() });
  }

  async provideCodeLenses(document: vscode.TextDocument): Promise<vscode.CodeLens[]> {
    if (!this.#isEditable(document)) return [];
    if (!vscode.workspace.getConfiguration('caravan', document).get('codeLens', true)) return [];
    const { workloads } = await this.#manifests.of(document);
    const { networks } = this.#caravan.picture;
    const services = networks.flatMap((network) => network.services);
    const serviceOf = (address: string) => services.find((service) => service.address === address);
    const lenses = lensesOf(workloads, networks.length > 0 ? serviceOf : undefined);
    return lenses.map((lens) => new vscode.CodeLens(new vscode.Range(lens.line, 0, lens.line, 0), toCommand(lens, document)));
  }

  dispose(): void {
    this.#parts.dispose();
  }

  #refresh(): void {
    const now = JSON.stringify(
      this.#caravan.picture.networks.map(({ services }) =>
        services.map(({ address, destinations, url, perSecond }) => [
          address,
          url,
          perSecond,
          destinations.map(({ siteId }) => siteId),
        ]),
      ),
    );
    if (now === this.#services) return;
    this.#services = now;
    this.#changed.fire();
  }
}

function toCommand({ title, tooltip, action, workload, address, url }: Lens, { uri }: vscode.TextDocument): vscode.Command {
  const onObject = action === 'expose' || action === 'stop';
  // A row's shape, as the trees' menus pass it.
  const row = { id: 'lens', flags: 'lens', target: { ...(address ? { address } : {}), ...(url ? { url } : {}) } };
  return { title, tooltip, command: COMMANDS[action], arguments: onObject ? [uri, workload] : [row] };
}
