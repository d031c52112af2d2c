/** The Secrets that resources and annotations name: those alone are read, of all that the namespace has. */
import type { Problem } from '../../api/types.ts';
import { sentence } from '../../errors.ts';
import { parseResources, type Resource } from '../../site/resources.ts';
import { listenerTls } from '../../site/tls-wishes.ts';
import type { ClusterClient } from '../client.ts';
import { ANY_CLIENT } from './service-listener.ts';

/**
 * How often they are read again. Milliseconds. A watch would need the right to follow every Secret of the namespace; kubelet takes about as
 * long to bring a changed one into a pod.
 */
export const REREAD_EVERY_MS = 15_000;
/** Whatever else a Secret holds is none of our business. */
const KEYS = ['ca.crt', 'tls.crt', 'tls.key'] as const;

interface Known {
  resources: Resource[];
  problems: Problem[];
}

export class NamedSecrets {
  private readonly client: ClusterClient;
  private readonly namespace: string;
  private readonly changed: () => void;
  private readonly timer: NodeJS.Timeout;
  /** Undefined until it was read for the first time. */
  private known = new Map<string, Known | undefined>();

  /** `changed` is called after a read that brought something new. */
  constructor(client: ClusterClient, namespace: string, changed: () => void) {
    this.client = client;
    this.namespace = namespace;
    this.changed = changed;
    this.timer = setInterval(() => {
      for (const name of this.known.keys()) void this.read(name);
    }, REREAD_EVERY_MS).unref();
  }

  /** Reads these, and those that resources name and do not bring themselves; forgets all others. False while one was not read yet. */
  follow(names: readonly string[], resources: readonly Resource[]): boolean {
    const own = new Set(resources.flatMap(({ kind, name }) => (kind === 'Secret' ? [name] : [])));
    const named = [...names, ...resources.flatMap((resource) => credentialsOf(resource) ?? [])];
    const wanted = new Set(named.filter((name) => !own.has(name)));
    const before = this.known;
    this.known = new Map([...wanted].map((name) => [name, before.get(name)]));
    for (const name of wanted) if (!before.has(name)) void this.read(name);
    return [...this.known.values()].every((known) => known !== undefined);
  }

  /** Whether clients can be shown the certificate of a Secret that is followed. */
  hasCertificate(name: string): boolean {
    const secrets = this.resources.flatMap((resource) =>
      resource.kind === 'Secret' ? [[resource.name, resource.spec] as const] : [],
    );
    return typeof listenerTls({ type: 'tcp', tlsCredentials: name, settings: ANY_CLIENT }, new Map(secrets)) === 'object';
  }

  get resources(): Resource[] {
    return [...this.known.values()].flatMap((known) => known?.resources ?? []);
  }

  get problems(): Problem[] {
    return [...this.known.values()].flatMap((known) => known?.problems ?? []);
  }

  close(): void {
    clearInterval(this.timer);
    this.known.clear();
  }

  private async read(name: string): Promise<void> {
    const now = await this.readNow(name);
    if (!this.known.has(name)) return;
    if (JSON.stringify(now) === JSON.stringify(this.known.get(name))) return;
    this.known.set(name, now);
    this.changed();
  }

  /** One that cannot be read, or not be used, stays what it was. */
  private async readNow(name: string): Promise<Known> {
    const where = `Secret ${name}`;
    const before = this.known.get(name)?.resources ?? [];
    try {
      const secret = await this.client.read('Secret', this.namespace, name);
      if (!secret) return { resources: [], problems: [] };
      const data = Object.fromEntries(KEYS.flatMap((key) => (secret.data?.[key] ? [[key, secret.data[key]]] : [])));
      // JSON is YAML.
      const text = JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, data });
      const { resources, problems } = parseResources(text, where);
      const problemsHere = problems.map(({ message }) => ({ where, message }));
      const resourcesHere = resources.map((resource) => ({ ...resource, where }));
      return { resources: problems.length > 0 ? before : resourcesHere, problems: problemsHere };
    } catch (error) {
      return { resources: before, problems: [{ where, message: sentence(error) }] };
    }
  }
}

function credentialsOf(resource: Resource): string | undefined {
  return 'tlsCredentials' in resource.spec ? resource.spec.tlsCredentials : undefined;
}
