import { join } from 'node:path';
import { LocalRouter } from '../runtime/api/laptop/local-router.ts';
import type { RuntimeProcess } from '../runtime/api/laptop/runtime-process.ts';
import { isAnswered, socketPath } from '../runtime/api/sockets.ts';
import { CaravanError } from '../runtime/errors.ts';
import type { Kubernetes } from '../runtime/kubernetes/types.ts';
import { VERSION } from '../runtime/version.ts';
import { Clusters } from './clusters/clusters.ts';
import { debounce, Emitter } from './emitter.ts';
import { DemoNetwork } from './laptop/demo-network.ts';
import type { DisposableLike, LogLike } from './like.ts';
import { Operations } from './operations.ts';
import { LocalSites } from './sites/local-sites.ts';
import { siteOpener } from './sites/open-site.ts';
import type { SiteApi } from './sites/site-api.ts';
import { siteKey, type SiteRef } from './sites/site-ref.ts';
import { Sites } from './sites/sites.ts';
import { type Network, networksOf } from './views/networks.ts';
import type { Snapshot } from './views/snapshot.ts';
import { problemsOf } from './views/summary.ts';

/** Changes closer together than this redraw once. Milliseconds. */
const REDRAW_MS = 100;

export interface CaravanOptions {
  /** Folder of the bundles. */
  dist: string;
  /** Where earlier versions kept the laptop's files. */
  storage: string;
  log: LogLike;
  /** The setting `caravan.kubeconfig`; undefined where it is empty. */
  kubeconfig: () => string | undefined;
  showAllNamespaces: boolean;
  isTrusted: () => boolean;
  /** What the editor's settings `http.proxy` and `http.noProxy` say. */
  proxy: NonNullable<RuntimeProcess['proxy']>;
  /** Whether other sites may reach one another through this laptop. */
  laptopCarriesTraffic: () => boolean;
}

/** What there is to show, computed once a change. */
export interface Picture {
  snapshot: Snapshot;
  networks: Network[];
  problems: string[];
}

/** Owns every service of the extension, and ends them. Views listen to `onChange` and draw `picture`. */
export class Caravan implements DisposableLike {
  readonly log: LogLike;
  readonly operations: Operations;
  readonly clusters: Clusters;
  readonly sites: Sites;
  readonly local: LocalSites;
  readonly laptop: LocalRouter;
  readonly demo: DemoNetwork;
  readonly onChange: (listener: () => void) => DisposableLike;
  readonly #changed: (() => void) & DisposableLike;
  #showAllNamespaces: boolean;
  #picture: Picture | undefined;

  constructor({ dist, storage, log, kubeconfig, showAllNamespaces, isTrusted, proxy, laptopCarriesTraffic }: CaravanOptions) {
    const emitter = new Emitter();
    this.onChange = (listener) => emitter.on(listener);
    this.#showAllNamespaces = showAllNamespaces;
    const redraw = debounce(() => emitter.fire(), REDRAW_MS);
    this.#changed = Object.assign(
      () => {
        this.#picture = undefined;
        redraw();
      },
      { dispose: () => redraw.dispose() },
    );
    this.log = log;
    this.operations = new Operations(log);
    this.sites = new Sites(siteOpener(this.kubernetes), this.#changed, log);
    this.clusters = new Clusters({
      kubernetes: this.kubernetes,
      paths: () => kubeconfig() ?? process.env['KUBECONFIG'],
      changed: () => this.sites.set('clusters', this.clusters.readySites),
      log,
      operations: this.operations,
    });
    const runtime = { script: join(dist, 'caravan.cjs'), isTrusted, proxy };
    this.laptop = LocalRouter.ofThisUser(runtime, {
      formerFolder: join(storage, 'laptop'),
      carriesTraffic: laptopCarriesTraffic,
    });
    const changed = () => {
      this.#changed();
      void this.local.look();
    };
    this.demo = new DemoNetwork({ runtime, socketOf: socketPath, isAnswered, changed, log });
    this.local = new LocalSites((refs) => this.sites.set('local', refs));
  }

  /** The Kubernetes client, loaded when it is first needed: it is 50 times the size of everything else. */
  readonly kubernetes = async (): Promise<Kubernetes> => await import('../runtime/kubernetes/index.ts');

  get picture(): Picture {
    if (this.#picture) return this.#picture;
    const { problems: kubeconfigProblems, contexts, condition } = this.clusters;
    const sites = this.sites.views;
    const { view: demo } = this.demo;
    const snapshot = {
      kubeconfigProblems,
      contexts,
      condition,
      sites,
      demo,
      showAllNamespaces: this.#showAllNamespaces,
      version: VERSION,
      now: new Date(),
    };
    return (this.#picture = { snapshot, networks: networksOf(sites), problems: problemsOf(snapshot) });
  }

  /** Draws again: times are told as `3 minutes ago`. */
  redraw(): void {
    this.#changed();
  }

  showAllNamespaces(show: boolean): void {
    this.#showAllNamespaces = show;
    this.#changed();
  }

  /** The site as others must be told it, with the kubeconfig. */
  api(ref: SiteRef): SiteApi {
    return this.sites.api(this.complete(ref));
  }

  complete(ref: SiteRef): SiteRef {
    return ref.where === 'cluster' ? this.clusters.ref(ref.context, ref.namespace) : ref;
  }

  /** Who is asked about an address: the site `key` while it can be, else the best of those that know it: the laptop, or the first. */
  siteKnowing(address: string, key?: string): SiteRef {
    const { networks } = this.picture;
    const asked = networks.flatMap(({ views }) => views).find(({ ref }) => siteKey(ref) === key);
    if (asked) return asked.ref;
    const network = networks.find(({ services }) => services.some((service) => service.address === address)) ?? networks[0];
    if (!network) throw new CaravanError('not-found', 'No site is known yet: create one, or start the demo network.');
    return network.views[0]!.ref;
  }

  dispose(): void {
    for (const part of [this.#changed, this.local, this.demo, this.sites, this.clusters]) part.dispose();
  }
}
