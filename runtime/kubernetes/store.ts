/** What a site remembers, as Secrets of its namespace: one an entry. */
import { CaravanError } from '../errors.ts';
import type { SiteStore } from '../site/store.ts';
import { isStatus } from './api-errors.ts';
import type { ClusterClient } from './client.ts';
import { CARAVAN, COMPONENT, ENTRY_ANNOTATION, OWN_LABELS } from './names.ts';
import type { ByKind, KubeObject } from './objects.ts';

const KEY = 'entry';
const STORE_SELECTOR = `app.kubernetes.io/name=caravan,${COMPONENT}=store`;

/** What the Secret held when this process last saw it: only over that may it write. */
interface Known {
  version: string;
  text: string;
}

export function secretStore(client: ClusterClient, namespace: string): SiteStore {
  return new SecretStore(client, namespace);
}

class SecretStore implements SiteStore {
  readonly description: string;
  private readonly client: ClusterClient;
  private readonly namespace: string;
  private readonly known = new Map<string, Known>();

  constructor(client: ClusterClient, namespace: string) {
    this.client = client;
    this.namespace = namespace;
    this.description = `Secrets of the namespace ${namespace}`;
  }

  async read(name: string): Promise<string | undefined> {
    const secret = await this.client.read('Secret', this.namespace, secretName(name));
    if (secret) return this.learn(name, secret);
    this.known.delete(name);
    return undefined;
  }

  /** Rejects with `conflict` where another process wrote the entry since this one last read it. */
  async write(name: string, text: string): Promise<void> {
    const before = this.known.get(name);
    try {
      this.remember(name, text, await (before ? this.replace(name, text, before.version) : this.create(name, text)));
    } catch (error) {
      if (!isStatus(error, 404, 409)) throw error;
      await this.writeOver(name, text, before);
    }
  }

  /** Somebody made, changed or deleted the Secret meanwhile. A label set by hand does no harm; another text does. */
  private async writeOver(name: string, text: string, before: Known | undefined): Promise<void> {
    const now = await this.read(name);
    const version = this.known.get(name)?.version;
    if (before && now !== undefined && now !== before.text)
      throw new CaravanError(
        'conflict',
        `The Secret ${secretName(name)} in ${this.namespace} was changed by somebody else meanwhile; try again.`,
      );
    this.remember(name, text, await (version === undefined ? this.create(name, text) : this.replace(name, text, version)));
  }

  async remove(name: string): Promise<void> {
    await this.client.delete('Secret', this.namespace, secretName(name));
    this.known.delete(name);
  }

  async list(prefix: string): Promise<string[]> {
    const { items } = await this.client.list('Secret', this.namespace, { labelSelector: STORE_SELECTOR });
    const names = items.map((secret) => secret.metadata?.annotations?.[ENTRY_ANNOTATION]).filter((name) => name !== undefined);
    return names.filter((name) => name.startsWith(prefix)).sort((a, b) => (a < b ? -1 : 1));
  }

  private create(name: string, text: string): Promise<KubeObject> {
    return this.client.create(this.namespace, toSecret(name, text));
  }

  private replace(name: string, text: string, version: string): Promise<KubeObject> {
    return this.client.replace(this.namespace, toSecret(name, text, version));
  }

  private learn(name: string, secret: ByKind['Secret']): string {
    const text = Buffer.from(secret.data?.[KEY] ?? '', 'base64').toString();
    this.remember(name, text, secret);
    return text;
  }

  private remember(name: string, text: string, { metadata }: Pick<KubeObject, 'metadata'> | ByKind['Secret']): void {
    this.known.set(name, { text, version: metadata?.resourceVersion ?? '' });
  }
}

function toSecret(name: string, text: string, resourceVersion?: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: secretName(name),
      labels: { ...OWN_LABELS, [COMPONENT]: 'store' },
      annotations: { [ENTRY_ANNOTATION]: name },
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    type: 'Opaque',
    data: { [KEY]: Buffer.from(text).toString('base64') },
  };
}

function secretName(name: string): string {
  return `${CARAVAN}-${name.replace('/', '.')}`;
}
