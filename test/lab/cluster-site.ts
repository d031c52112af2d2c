import { fileURLToPath } from 'node:url';
import { ApiClient } from '../../runtime/api/client.ts';
import type { Status } from '../../runtime/api/types.ts';
import * as kubernetes from '../../runtime/kubernetes/index.ts';
import type { NamespaceRef, WayIn } from '../../runtime/kubernetes/types.ts';
import { until } from '../support/until.ts';
import type { Cluster } from './cluster.ts';
import { namespaceUser } from './namespace-user.ts';

export const bundles = fileURLToPath(new URL('../../dist', import.meta.url));

/** A site in a namespace of its own, whose user has rights in that namespace alone. */
export class ClusterSite {
  readonly cluster: Cluster;
  readonly ref: NamespaceRef;
  readonly api: ApiClient;

  private constructor(cluster: Cluster, ref: NamespaceRef) {
    this.cluster = cluster;
    this.ref = ref;
    this.api = new ApiClient((signal) => kubernetes.connectToSite(ref, 'api', signal ? { signal } : {}));
  }

  /** A restricted namespace and its user; the site itself is not there yet. */
  static async prepare(cluster: Cluster): Promise<ClusterSite> {
    const namespace = await cluster.createNamespace('shop', { restricted: true });
    const kubeconfig = await namespaceUser(cluster, namespace);
    const [context] = (await kubernetes.readKubeconfig(kubeconfig)).contexts;
    return new ClusterSite(cluster, { kubeconfig, context: context!.name, namespace });
  }

  async create(wayIn: WayIn): Promise<void> {
    const begun = performance.now();
    await kubernetes.createSite({ ...this.ref, name: this.cluster.name, wayIn, bundles });
    console.log(`# ${this.cluster.name} was ready after ${Math.round(performance.now() - begun)} ms`);
  }

  /** kubectl in the namespace. */
  run(...args: string[]): Promise<string> {
    return this.cluster.run(...args, '-n', this.ref.namespace);
  }

  apply(manifest: string): Promise<void> {
    return this.cluster.apply(manifest, this.ref.namespace);
  }

  /** Waits until its status has something. */
  status<T>(what: string, look: (status: Status) => T | undefined): Promise<T> {
    return until(`${what} at ${this.cluster.name}`, async () => look(await this.api.status()));
  }

  /** Links with a site that takes links. */
  async linkTo(other: ClusterSite): Promise<void> {
    await other.status('an address', ({ access }) => access.length > 0 || undefined);
    const { yaml } = await other.api.issueToken({});
    const { link } = await this.api.redeemToken({ yaml });
    await this.status('the link up', ({ links }) => links.find(({ id, state }) => id === link && state === 'up'));
  }
}
