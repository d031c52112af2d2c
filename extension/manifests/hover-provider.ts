import * as vscode from 'vscode';
import type { Caravan } from '../caravan.ts';
import { siteNames } from '../views/networks.ts';
import { offeredAt } from '../views/service-rows.ts';
import { hoverAt, type OfferedNow } from './hovers.ts';
import type { ManifestCache } from './manifest-cache.ts';

export class HoverProvider implements vscode.HoverProvider {
  readonly #caravan: Caravan;
  readonly #manifests: ManifestCache;

  constructor(caravan: Caravan, manifests: ManifestCache) {
    this.#caravan = caravan;
    this.#manifests = manifests;
  }

  async provideHover(document: vscode.TextDocument, position: vscode.Position): Promise<vscode.Hover | undefined> {
    const { workloads } = await this.#manifests.of(document);
    const hover = hoverAt(workloads, document.offsetAt(position), (address) => this.#offered(address));
    if (!hover) return undefined;
    const range = new vscode.Range(document.positionAt(hover.start), document.positionAt(hover.end));
    return new vscode.Hover(new vscode.MarkdownString(hover.markdown), range);
  }

  #offered(address: string): OfferedNow | undefined {
    const { networks, snapshot } = this.#caravan.picture;
    const service = networks.flatMap(({ services }) => services).find((known) => known.address === address);
    if (!service) return undefined;
    const { local, warning } = service;
    return {
      at: offeredAt(service, siteNames(snapshot.sites)),
      ...(local ? { local } : {}),
      ...(warning ? { warning } : {}),
    };
  }
}
