import type { Unsubscribe, SiteControl } from '../api/control.ts';
import type {
  AccessStatus,
  Explanation,
  ExposeRequest,
  InterceptRequest,
  IssuedToken,
  IssueTokenRequest,
  LinkStatus,
  ListenRequest,
  MadeIntercept,
  MadeResource,
  Problem,
  ProxyRequest,
  ProxyStatus,
  RedeemedLink,
  RedeemTokenRequest,
  ServiceStatus,
  Status,
} from '../api/types.ts';
import { type Clock, systemClock } from '../clock.ts';
import { CaravanError, sentence } from '../errors.ts';
import { type Log, sparing } from '../log.ts';
import type { Grants } from '../identity/grants.ts';
import type { Identity } from '../identity/identity.ts';
import type { IssuedCertificates } from '../identity/issued.ts';
import { endOf } from '../identity/validity.ts';
import { tunnelEndpoint } from '../link/endpoint.ts';
import { IncomingLinks } from '../router/incoming-links.ts';
import { Listeners } from '../router/listeners.ts';
import type { PortForwardDial } from '../router/outgoing-link.ts';
import { OutgoingLinks } from '../router/outgoing-links.ts';
import { Router } from '../router/router.ts';
import type { RouterInfo } from '../routing/types.ts';
import { VERSION } from '../version.ts';
import { Access } from './access.ts';
import type { AutoListeners } from './auto-listeners.ts';
import { explain } from './explain.ts';
import { interceptConnector } from './intercept.ts';
import { issueToken } from './issue-token.ts';
import { LinkCertificates } from './link-certificates.ts';
import { documentsOf, exposedConnector, wishedListener, type WishedResource } from './made-resource.ts';
import { remember, type SiteMemory } from './memory.ts';
import { PacedTask } from './paced-task.ts';
import { Rates } from './rates.ts';
import { redeemToken } from './redeem.ts';
import { RoutedNames } from './network-names.ts';
import type { NetworkView } from './network-view.ts';
import type { Resource } from './resources.ts';
import { ServerCertificate } from './server-certificate.ts';
import { servicesOf, sitesOf } from './services.ts';
import { siteToRevoke } from './site-to-revoke.ts';
import { SiteProxy } from './site-proxy.ts';
import type { ResourceSource, WishedState } from './source.ts';
import type { SiteStore } from './store.ts';
import type { StoreSource } from './store-source.ts';
import { type Wishes, wishesOf } from './wishes.ts';

/** How long connections that are up may go on after the site was told to end. Milliseconds. */
const DRAIN_MS = 5000;

export interface SiteOptions {
  store: SiteStore;
  /** Where resources come from, beside the commands of this site; a function where a source looks at the network. */
  sources: ResourceSource[] | ((view: NetworkView) => ResourceSource[]);
  platform: 'kubernetes' | 'host';
  namespace?: string;
  portForward?: PortForwardDial;
  /** What certificates are made and renewed by; default the system's. */
  clock?: Clock;
  log: Log;
}

/** Two routers with one id: each undoes what the other says. */
const CONTESTED: Problem = {
  where: 'router',
  message: "Another router in the network has this one's id: a copy of its data runs elsewhere. Stop one of the two.",
};

/** A running site: brings its router to what its resources ask for, and answers the management API. */
export class Site implements SiteControl {
  readonly #options: SiteOptions;
  readonly #identity: Identity;
  readonly #grants: Grants;
  readonly #issued: IssuedCertificates;
  readonly #clock: Clock;
  readonly #serverCertificate: ServerCertificate;
  readonly #linkCertificates: LinkCertificates;
  readonly #router: Router;
  readonly #listeners: Listeners;
  readonly #incoming: IncomingLinks;
  readonly #outgoing: OutgoingLinks;
  readonly #access: Access;
  readonly #auto: AutoListeners;
  readonly #names: RoutedNames;
  readonly #proxy: SiteProxy;
  readonly #rates: Rates;
  readonly #commands: StoreSource;
  readonly #sources: ResourceSource[];
  readonly #states: ReadonlyMap<ResourceSource, WishedState>;
  /** Sources that look at the network's services. */
  readonly #sourcesThatLook: Set<() => void>;
  readonly #subscribers: Set<() => void>;
  readonly #startTime = new Date();
  #wishes: Wishes = wishesOf([]);
  /** A defect kept the last wished state from being applied. */
  #defect: string | undefined;
  readonly #follow = new PacedTask(() => this.#followChanges());
  #closed = false;

  /**
   * Starts the site and resolves once its first wished state is applied. Rejects where its store or a source cannot be read; nothing of it
   * runs on then.
   */
  static async start(options: SiteOptions): Promise<Site> {
    const { clock = systemClock } = options;
    const memory = await remember(options.store, clock);
    const subscribers = new Set<() => void>();
    const sourcesThatLook = new Set<() => void>();
    let site: Site | undefined;
    const view: NetworkView = {
      services: () => site?.services() ?? [],
      onServicesChange: (changed) => subscribe(sourcesThatLook, changed),
    };
    const sources = [memory.commands, ...(Array.isArray(options.sources) ? options.sources : options.sources(view))];
    const states = new Map<ResourceSource, WishedState>();
    // Every source is heard before anything is done: the site's name is the router's from its first word on, and a listener that
    // closed and opened again would be seen by its clients.
    await Promise.all(
      sources.map(
        (source) =>
          new Promise<void>((resolve, reject) => {
            const heard = (state: WishedState) => {
              states.set(source, state);
              if (site) site.#reconcileSafely();
              resolve();
            };
            source.watch(heard).catch(reject);
          }),
      ),
    ).catch(async (error: unknown) => {
      await Promise.all(sources.map((source) => source.close()));
      throw error;
    });
    site = new Site(options, { ...memory, clock, sources, sourcesThatLook, states, subscribers });
    await site.#serverCertificate.look();
    site.#reconcile();
    await site.#access.settled();
    await site.#proxy.settled();
    return site;
  }

  private constructor(options: SiteOptions, parts: SiteParts) {
    const { log, store, platform, namespace } = options;
    const { siteId } = parts.identity;
    this.#options = options;
    this.#identity = parts.identity;
    this.#issued = parts.issued;
    this.#clock = parts.clock;
    this.#auto = parts.auto;
    this.#commands = parts.commands;
    this.#grants = parts.grants;
    this.#sources = parts.sources;
    this.#states = parts.states;
    this.#sourcesThatLook = parts.sourcesThatLook;
    this.#subscribers = parts.subscribers;
    const { siteName, edge } = wishesOf(this.#resources());
    const name = siteName ?? namespace ?? `site-${siteId.slice(0, 8)}`;
    const info: RouterInfo = {
      id: siteId,
      site: { id: siteId, name },
      version: VERSION,
      platform,
      ...(namespace && { namespace }),
      ...(edge && { role: 'edge' }),
    };
    const changed = () => this.#changed();
    this.#auto.onChange = changed;
    this.#router = new Router(info, log.named('router'), () => {
      this.#names.forget();
      changed();
    });
    this.#names = new RoutedNames(this.#router.engine);
    this.#listeners = new Listeners(this.#router, { log: log.named('listener'), changed });
    this.#incoming = new IncomingLinks(this.#router, { log: log.named('link'), changed });
    this.#outgoing = new OutgoingLinks(this.#router, { log: log.named('link'), changed, portForward: options.portForward });
    const network = {
      service: (asked: string) => this.#names.service(asked),
      hasNamespace: (asked: string) => this.#names.hasNamespace(asked),
      connect: (address: string, port: number) => this.#router.connect(address, port),
    };
    this.#proxy = new SiteProxy({ store, network, log: log.named('proxy'), changed }, parts.proxy);
    const { clock } = parts;
    this.#rates = new Rates({
      takeListeners: (seconds) => this.#listeners.takeRates(seconds),
      links: () => this.#links(),
      changed: () => this.#tell(),
    });
    const renewing = { store, clock, log: log.named('certificates'), changed };
    const renewed = () => this.#access.showAnew();
    this.#serverCertificate = new ServerCertificate(parts.identity, { ...renewing, renewed });
    this.#linkCertificates = new LinkCertificates(parts.renewed, {
      ...renewing,
      siteId,
      portForward: options.portForward,
      renewed: () => this.#reconcileSafely(),
    });
    const requestsLog = sparing(log.named('claims'));
    this.#access = new Access({
      store,
      authority: this.#identity.authority.certificate,
      shown: () => this.#serverCertificate.current,
      admits: (holder) => this.#issued.admits(holder.serial, holder.siteId),
      link: (socket, holder) => {
        this.#issued.saw(holder.serial, new Date(clock.now()));
        this.#incoming.add(socket, holder.siteId);
      },
      request: async (request, response, from) => {
        // Loaded here: node-forge is large, and a site that lets nobody in never needs it.
        const { answerRequest } = await import('./requests.ts');
        return answerRequest(request, response, from, {
          identity: this.#identity,
          issued: this.#issued,
          grants: this.#grants,
          siteName: name,
          endpoints: () => this.#direct().map(({ host, port }) => ({ host, port })),
          now: () => clock.now(),
          log: requestsLog,
        });
      },
      log: log.named('access'),
      changed,
    });
  }

  services(): ServiceStatus[] {
    return servicesOf(this.#router.engine);
  }

  status(): Status {
    const { info, engine } = this.#router;
    const { platform, namespace, role } = info;
    const states = [...this.#states.values()];
    const { status: proxy } = this.#proxy;
    return {
      site: {
        id: info.site.id,
        name: info.site.name,
        version: info.version,
        platform,
        ...(namespace && { namespace }),
        ...(role === 'edge' && { edge: true as const }),
        certificateEnds: this.#serverCertificate.ends,
        authorityEnds: endOf(this.#identity.authority.certificate),
      },
      router: { id: info.id, startTime: this.#startTime.toISOString(), pid: process.pid },
      sites: sitesOf(engine),
      links: this.#links().map((link) => {
        const bytesPerSecond = this.#rates.ofLink(link);
        return bytesPerSecond === undefined ? link : { ...link, bytesPerSecond };
      }),
      services: this.services(),
      listeners: this.#listeners.status(),
      connectors: this.#router.connectors(),
      access: this.#endpoints(),
      ...(proxy && { proxy }),
      problems: [
        ...states.flatMap(({ problems }) => problems),
        ...this.#wishes.problems,
        ...this.#access.problems(),
        ...this.#serverCertificate.problems(),
        ...this.#linkCertificates.problems(),
        ...(engine.isContested ? [CONTESTED] : []),
        ...this.#auto.problems(),
        ...this.#proxy.problems(),
        ...(this.#defect === undefined ? [] : [{ where: 'the wished state', message: this.#defect }]),
      ],
    };
  }

  onChange(changed: () => void): Unsubscribe {
    return subscribe(this.#subscribers, changed);
  }

  explain(address: string): Explanation {
    return explain(this.status(), address);
  }

  issueToken(request: IssueTokenRequest): Promise<IssuedToken> {
    return issueToken(request, {
      siteName: this.#router.info.site.name,
      takesLinks: this.#access.isWanted,
      endpoint: this.#direct()[0],
      tunnel: this.#wishes.access?.tunnel,
      authority: this.#identity.authority.certificate,
      grants: this.#grants,
    });
  }

  redeemToken(request: RedeemTokenRequest): Promise<RedeemedLink> {
    const { site } = this.#router.info;
    const taken = this.#outgoing.configs;
    return redeemToken(request, { site, taken, commands: this.#commands, portForward: this.#options.portForward });
  }

  async expose(request: ExposeRequest): Promise<MadeResource> {
    return this.#make(exposedConnector(request));
  }

  async intercept(request: InterceptRequest): Promise<MadeIntercept> {
    const { name, spec, header } = interceptConnector(request, this.services(), this.#identity);
    const made = await this.#make({ kind: 'Connector', name, spec }, request.hold);
    return { ...made, ...(header !== undefined && { header }) };
  }

  async listen(request: ListenRequest): Promise<MadeResource> {
    return this.#make(wishedListener(request));
  }

  openProxy({ port }: ProxyRequest): Promise<ProxyStatus> {
    return this.#proxy.open(port);
  }

  closeProxy(): Promise<void> {
    return this.#proxy.stop();
  }

  async remove({ kind, name }: MadeResource): Promise<void> {
    if (await this.#commands.has(kind, name)) {
      await this.#commands.remove(kind, name);
      return kind === 'Link' ? this.#linkCertificates.forget(name) : undefined;
    }
    const elsewhere = this.#resources().find((resource) => resource.kind === kind && resource.name === name);
    if (elsewhere) throw new CaravanError('conflict', `${kind} ${name} stands in ${elsewhere.where}; remove it there.`);
    throw new CaravanError('not-found', `There is no ${kind} named ${name}.`);
  }

  async revoke(site: string): Promise<number> {
    const now = new Date(this.#clock.now());
    const siteId = siteToRevoke(site, this.#issued.sitesOf(site), (id) => this.#incoming.has(id), now);
    // From the call on it is let in no more; its links are cut whether or not that can be kept.
    const revoked = this.#issued.revoke(siteId, now);
    this.#incoming.cut(siteId, 'this site was revoked');
    try {
      return await revoked;
    } catch (error) {
      const { description } = this.#options.store;
      throw new CaravanError(
        'not-saved',
        `${site} is cut off, but only until this site restarts: ${description} cannot be written (${sentence(error)}). Mend that, and revoke it again.`,
        { cause: error },
      );
    }
  }

  leave(): Promise<void> {
    this.#router.leave();
    return Promise.resolve();
  }

  /** Takes no new connections, lets those that are up end for a while, then cuts what is left. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#follow.stop();
    await Promise.all(this.#sources.map((source) => source.close()));
    this.#serverCertificate.close();
    this.#linkCertificates.close();
    this.#rates.close();
    this.#listeners.close();
    await this.#proxy.close();
    this.#router.drain();
    const deadline = Date.now() + DRAIN_MS;
    while (this.#router.streams > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
    this.#outgoing.close('the site ends');
    this.#incoming.close('the site ends');
    this.#proxy.destroy();
    await this.#access.close();
    await this.#auto.close();
    this.#router.close();
  }

  #resources(): Resource[] {
    return [...this.#states.values()].flatMap(({ resources }) => resources);
  }

  /** A source that tells of a change must not be the one who meets a defect of ours. */
  #reconcileSafely(): void {
    try {
      this.#reconcile();
      this.#defect = undefined;
    } catch (error) {
      this.#options.log.error('the wished state met a defect', { error: (error as Error)?.stack ?? error });
      this.#defect = `It could not be applied because of a defect: ${sentence(error)}. The log tells more.`;
      this.#changed();
    }
  }

  #reconcile(): void {
    if (this.#closed) return;
    this.#wishes = wishesOf(this.#resources());
    const { connectors, links, access, proxy } = this.#wishes;
    this.#router.setConnectors(connectors);
    this.#outgoing.set(this.#linkCertificates.set(links));
    this.#access.set(access);
    this.#proxy.set(proxy);
    this.#listen();
    this.#changed();
  }

  #listen(): void {
    const { listeners, autoListen } = this.#wishes;
    const services = autoListen ? this.services() : [];
    const auto = this.#auto.listeners(services, { siteId: this.#identity.siteId, explicit: listeners });
    this.#listeners.set([...listeners, ...auto]);
  }

  /** Paths, services or links changed. */
  #changed(): void {
    if (!this.#closed) this.#follow.request();
  }

  #followChanges(): void {
    this.#listen();
    this.#auto.remember(this.#listeners.status());
    for (const look of this.#sourcesThatLook) look();
    this.#tell();
  }

  /** There is another status, and nothing to do about it. */
  #tell(): void {
    for (const subscriber of this.#subscribers) subscriber();
  }

  #links(): LinkStatus[] {
    const { site } = this.#router.info;
    return [...this.#outgoing.status(site.name), ...this.#incoming.status(site.name, (siteId) => this.#issued.endOf(siteId))];
  }

  /** Where others reach this site. */
  #endpoints(): AccessStatus[] {
    const { tunnel } = this.#wishes.access ?? {};
    if (!tunnel) return this.#direct();
    const { host, port } = tunnelEndpoint(tunnel);
    return [...this.#direct(), { host, port, way: 'tunnel', tunnel: tunnel.url }];
  }

  /** By host and port: as a source knows it, else as the open port says; under the name that its RouterAccess gives. */
  #direct(): AccessStatus[] {
    const known = [...this.#states.values()].flatMap(({ access }) => access ?? []);
    const { advertisedHost: host, tunnel } = this.#wishes.access ?? {};
    // An address of this machine is a guess; where there is a tunnel it is not needed.
    if (host === undefined && tunnel) return known;
    if (host === undefined) return known.length > 0 || this.#options.platform === 'kubernetes' ? known : this.#access.endpoints();
    const [first] = known;
    return first ? [{ ...first, host }] : this.#access.endpoints();
  }

  /** Rejects with `bad-request`, and keeps nothing, where it could not be used. */
  async #make(wished: WishedResource, hold?: boolean): Promise<MadeResource> {
    const { kind, name } = wished;
    await this.#commands.put(kind, name, documentsOf(wished), hold);
    return { kind, name };
  }
}

interface SiteParts extends SiteMemory {
  clock: Clock;
  sources: ResourceSource[];
  states: ReadonlyMap<ResourceSource, WishedState>;
  sourcesThatLook: Set<() => void>;
  subscribers: Set<() => void>;
}

function subscribe(subscribers: Set<() => void>, changed: () => void): Unsubscribe {
  subscribers.add(changed);
  return () => void subscribers.delete(changed);
}
