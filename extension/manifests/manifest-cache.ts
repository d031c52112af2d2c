import type { Manifest } from './workloads.ts';

/** VS Code's TextDocument, as far as it is read. */
export interface DocumentLike {
  readonly version: number;
  getText(): string;
}

/** What documents hold, read once a version: lenses, hovers and diagnostics ask often. */
export class ManifestCache {
  readonly #read = new WeakMap<DocumentLike, { version: number; manifest: Manifest }>();

  /** Reading YAML is loaded with the first document that needs it: it is most of the extension, and many windows have none. */
  async of(document: DocumentLike): Promise<Manifest> {
    const { readManifest } = await import('./workloads.ts');
    const known = this.#read.get(document);
    if (known?.version === document.version) return known.manifest;
    const manifest = readManifest(document.getText());
    this.#read.set(document, { version: document.version, manifest });
    return manifest;
  }
}
