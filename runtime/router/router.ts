import { randomInt } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { ConnectorStatus } from '../api/types.ts';
import type { Log } from '../log.ts';
import { INITIAL_WINDOW_BYTES } from '../link/credit.ts';
import { LinkStream } from '../link/link-stream.ts';
import { openStream } from '../link/open-stream.ts';
import { ProtocolError } from '../link/frames.ts';
import { encodeRouting, type Hello, type Link } from '../link/link.ts';
import type { RawStream } from '../link/raw-stream.ts';
import { type Reason, type ReasonCode, StreamError } from '../link/reason.ts';
import { beginningOf, spliceTransit } from '../link/transit.ts';
import { AmqpHub } from '../protocols/amqp/hub.ts';
import { clientInfo, isClientInfo } from '../protocols/client-info.ts';
import type { FanOut, Joined, Server } from '../protocols/listener.ts';
import { abort, splice } from '../protocols/splice.ts';
import { SplicedStream } from '../protocols/spliced-stream.ts';
import { Balancer, type Candidate } from '../routing/balancer.ts';
import { createEngine, type RoutingEngine } from '../routing/engine.ts';
import { Failures } from '../routing/failures.ts';
import { INSTANCES_PER_MS, MAX_HOPS } from '../routing/limits.ts';
import { hears, type RequestTraits, takersOf } from '../routing/request-rule.ts';
import { RequestShares } from '../routing/request-shares.ts';
import {
  type Distribution,
  type Effects,
  type LinkId,
  type Neighbor,
  type Place,
  portsFor,
  PROTOCOL,
  routerAt,
  type RouterId,
  type RouterInfo,
  type RoutingMessage,
} from '../routing/types.ts';
import { AMQP_CHANNEL, AmqpNetwork } from './amqp-network.ts';
import { AmqpServers } from './amqp-servers.ts';
import { Channels, isChannelInfo } from './channels.ts';
import type { ConnectorConfig } from './config.ts';
import { Datagrams } from './datagrams.ts';
import { type Destination, Directory, type RequestServer } from './directory.ts';
import { Flows } from './flows.ts';
import { ACCEPT_WITHIN_MS } from './router-links.ts';
import { Servers, type Wanted } from './servers.ts';

const TICK_EVERY_MS = 100;
/** What says of servers that they took nothing, and not only of the way to them. */
const OF_SERVERS = new Set<ReasonCode>(['refused', 'timeout']);

/** What the opening frame of a stream says. */
interface StreamInfo extends Wanted {
  /** The destination router, or the one that the destination hangs on. */
  to: RouterId;
  /** The destination, where that is an edge router. */
  edge?: RouterId;
  /** Links it may still pass. */
  hops: number;
}

/** What a request asks for. */
interface WantedServer {
  address: string;
  port: number;
  request: RequestTraits | undefined;
  /** Instead of the address' own. */
  preferred?: Distribution | undefined;
}

/** Addresses in, streams out: puts routing, links and servers together. */
export class Router {
  readonly info: RouterInfo;
  /** Later for every start of this router. */
  readonly instance = Date.now() * INSTANCES_PER_MS + randomInt(INSTANCES_PER_MS);
  readonly engine: RoutingEngine;
  readonly servers = new Servers(
    () => this.#changed(),
    () => this.advertise(),
  );
  readonly balancer = new Balancer();
  readonly #failures = new Failures();
  readonly #directory: Directory;
  readonly #shares = new RequestShares();
  readonly #amqpNetwork: AmqpNetwork;
  readonly #amqpServers: AmqpServers;
  #amqp: AmqpHub | undefined;
  readonly #followers: (() => void)[] = [];
  readonly channels: Channels;
  readonly datagrams: Datagrams;
  readonly flows: Flows;
  readonly #links = new Map<LinkId, { link: Link; peer: RouterId; protocol: number; instance: number }>();
  readonly #log: Log;
  readonly #changed: () => void;
  readonly #timer: NodeJS.Timeout;
  /** Streams that begin or end at this router. */
  #ownStreams = 0;
  #isDraining = false;

  /** `changed` is called after every change of paths or services; it may be called often. */
  constructor(info: RouterInfo, log: Log, changed: () => void) {
    this.info = info;
    this.#log = log;
    this.#changed = changed;
    this.engine = createEngine(info, this.instance);
    this.#directory = new Directory(this.engine);
    this.channels = new Channels(this.engine, this.#links);
    this.datagrams = new Datagrams(this.engine, this.#links, (arrived) => this.flows.receiver(arrived));
    this.flows = new Flows(this, log);
    this.#amqpNetwork = new AmqpNetwork(this, () => this.advertise());
    this.#amqpServers = new AmqpServers(this, log, () => this.#changed());
    this.channels.handle(AMQP_CHANNEL, (stream, address) => this.amqp.accept(stream, address));
    this.#timer = setInterval(() => this.#apply(this.engine.tick(Date.now())), TICK_EVERY_MS).unref();
  }

  hello(cost?: number): Hello {
    return { router: this.info, protocol: PROTOCOL, instance: this.instance, ...(cost !== undefined && { cost }) };
  }

  /**
   * A link whose neighbour has said who it is. Two starts of one router cannot both be neighbours: the later one is believed, the
   * earlier one's links are cut. Throws a `ProtocolError` where this link is the earlier one's.
   */
  attach(id: LinkId, link: Link, { neighbor, instance, cost }: { neighbor: Neighbor; instance: number; cost: number }): void {
    const peer = neighbor.router.id;
    for (const other of this.#links.values()) {
      if (other.peer !== peer || other.instance === instance) continue;
      if (other.instance > instance)
        throw new ProtocolError(`another router with the id ${peer} is linked here, and started later`);
      other.link.close({ code: 'protocol', message: `another router with the id ${peer} has linked, and started later` });
    }
    this.#links.set(id, { link, peer, protocol: neighbor.protocol, instance });
    this.#apply(this.engine.linkUp(id, neighbor, cost, Date.now()));
  }

  detach(id: LinkId): void {
    if (this.#links.delete(id)) this.#apply(this.engine.linkDown(id, Date.now()));
  }

  setCost(id: LinkId, cost: number): void {
    this.#apply(this.engine.linkCost(id, cost, Date.now()));
  }

  receive(id: LinkId, message: unknown): void {
    this.#apply(this.engine.receive(id, message, Date.now()));
  }

  /** Brings the servers here to those of this list, and tells the network what they offer. */
  setConnectors(connectors: ConnectorConfig[]): void {
    this.servers.set(connectors);
    this.#amqpServers.set(connectors);
    this.advertise();
  }

  /** Tells the network what this site offers now. */
  advertise(): void {
    if (this.#isDraining) return;
    this.#apply(this.engine.setOffers(this.#amqpNetwork.offers(this.servers.offers())));
  }

  connectors(): ConnectorStatus[] {
    return this.servers.status((name) => this.#amqpServers.problemOf(name));
  }

  /** Where AMQP's messages meet the network; made when there is first need of it. */
  get amqp(): AmqpHub {
    this.#amqp ??= new AmqpHub({ network: this.#amqpNetwork, log: this.#log });
    return this.#amqp;
  }

  /** Called after every change of paths or services, in the turn of the change. */
  onChange(changed: () => void): void {
    this.#followers.push(changed);
  }

  /** Sends no new stream here any more, but lets its services be remembered: a restart is not the end of them. */
  drain(): void {
    this.#isDraining = true;
    const offers = this.#amqpNetwork.offers(this.servers.offers());
    const drained = offers.map((offer) => ({ ...offer, ports: offer.ports.map((port) => ({ ...port, targets: [] })) }));
    this.#apply(this.engine.setOffers(drained));
  }

  /** Tells the network that this router ends for good: its services are over. Connections that are up stay. */
  leave(): void {
    this.#apply(this.engine.leave());
  }

  /** Whether a client of this address and port could be served now. */
  isOffered(address: string, port: number): boolean {
    return this.#directory.of(address, port).servers.length > 0;
  }

  /** Why nobody is there for clients of a port though the address is offered; undefined where that is not so. */
  portMismatch(address: string, port: number): string | undefined {
    const offers = this.engine.offersOf(address).filter(({ cost }) => cost !== undefined);
    if (offers.length === 0 || offers.some(({ offer }) => portsFor(offer.ports, port).length > 0)) return undefined;
    const ports = [...new Set(offers.flatMap(({ offer }) => offer.ports.map((offered) => offered.port)))].sort((a, b) => a - b);
    return `${address} has the ports ${ports.join(', ')}, not ${port}; say which one is meant with settings.servicePort`;
  }

  /**
   * Connects to whoever serves an address. A destination that refuses is replaced by the next; when none is left it rejects with the
   * `StreamError` of the last.
   */
  connect(address: string, port: number): Promise<Duplex> {
    return this.#anyOf({ address, port }, undefined, async (place, wanted, ended) => {
      const stream = await this.#reach(place, wanted);
      stream.once('close', ended);
      return stream;
    });
  }

  /**
   * Makes a client one with whoever serves an address: as `connect`. `wanted` tells the server's side of the client; `preferred` is how it is
   * chosen, instead of the address' own way.
   */
  join(client: Duplex, wanted: Omit<Wanted, 'target'>, preferred?: Distribution): Promise<Joined> {
    return this.#anyOf(wanted, preferred, async (place, server, ended) => {
      if (routerAt(place) === this.info.id) {
        const { stream } = await this.servers.connect(server);
        this.#count(stream);
        stream.once('close', ended);
        splice(client, stream);
        return {
          abort(cause) {
            abort(stream, cause);
            abort(client, cause);
          },
        };
      }
      const raw = this.#linkTo(place).openStream();
      return openStream(raw, streamInfo(place, server, MAX_HOPS), ACCEPT_WITHIN_MS, (window) => {
        this.#ownStreams++;
        return new SplicedStream(raw, window, client, () => {
          this.#ownStreams--;
          ended();
        });
      });
    });
  }

  /** Tries the destinations of an address one after the other. `ended` is called when what was reached has ended. */
  async #anyOf<T>(
    wanted: Wanted,
    preferred: Distribution | undefined,
    reach: (place: Place, wanted: Wanted, ended: () => void) => Promise<T>,
  ): Promise<T> {
    const { address, port } = wanted;
    const refused = new Set<RouterId>();
    let last: StreamError | undefined;
    for (;;) {
      const { distribution, destinations } = this.#directory.of(address, port);
      const left = refused.size === 0 ? destinations : destinations.filter(({ key }) => !refused.has(key));
      const ready = this.#ready(address, takersOf(left, undefined));
      const choice = this.balancer.choose(address, preferred ?? distribution, ready);
      if (!choice) throw last ?? new StreamError(refusal('unreachable', `nothing offers ${address}`));
      this.balancer.started(address, choice.key);
      const ended = () => this.balancer.ended(address, choice.key);
      try {
        return await this.#noting(address, choice.key, () => reach(choice.place, wanted, ended));
      } catch (error) {
        ended();
        if (!(error instanceof StreamError)) throw error;
        refused.add(choice.key);
        last = new StreamError({ code: error.code, message: `${choice.site}: ${error.message}` });
        this.#log.debug('a destination refused, trying the next', { address, site: choice.site, reason: error.message });
      }
    }
  }

  /** Those that took what was sent to them of late; all where none did. */
  #ready<C extends Candidate>(address: string, all: readonly C[]): readonly C[] {
    return this.#failures.has(address) ? this.#failures.ready(address, all, performance.now()) : all;
  }

  /** Remembers what becomes of it. */
  async #noting<T>(address: string, key: string, reach: () => Promise<T>): Promise<T> {
    this.#failures.tried(address, key, performance.now());
    try {
      const reached = await reach();
      this.#failures.took(address, key);
      return reached;
    } catch (error) {
      if (error instanceof StreamError && OF_SERVERS.has(error.code)) this.#failures.failed(address, key, performance.now());
      throw error;
    }
  }

  /** The server for a request, other than those that were tried: see `Server`. */
  nextServer({ address, port, request, preferred }: WantedServer, tried: ReadonlySet<string>): Server | undefined {
    const { distribution, servers } = this.#directory.of(address, port);
    const untried = tried.size === 0 ? servers : servers.filter(({ key }) => !tried.has(key));
    const left = this.#ready(address, takersOf(untried, request));
    const choice = this.balancer.choose(address, preferred ?? distribution, this.#shares.turnOf(address, left));
    return choice && this.#use(choice, address, port);
  }

  /** Those who listen in to such requests: see `Way.copies`. */
  copies(address: string, port: number, request: RequestTraits): Server[] {
    const { listening } = this.#directory.of(address, port);
    return listening.filter((each) => hears(each, request)).map((each) => this.#use(each, address, port));
  }

  #use({ key, place, site, target }: RequestServer, address: string, port: number): Server {
    this.balancer.started(address, key);
    const directory = this.#directory;
    return {
      id: key,
      site,
      target,
      get isOffered() {
        const { servers, listening } = directory.of(address, port);
        return [servers, listening].some((all) => all.some((server) => server.key === key));
      },
      connect: () => this.#noting(address, key, () => this.#reach(place, { address, port, target })),
      done: () => this.balancer.ended(address, key),
    };
  }

  /** Lets go of what is remembered of an address that nobody asks for here any more. */
  forget(address: string): void {
    this.balancer.forget(address);
    this.#shares.forget(address);
    this.#failures.forget(address);
  }

  /** A neighbour opens a stream: it ends here, or goes on. */
  open(raw: RawStream, window: number, info: unknown, from: LinkId): void {
    if (isChannelInfo(info)) return this.channels.arrived(raw, window, info, from);
    if (!isStreamInfo(info))
      return raw.sendRefused(refusal('protocol', 'the stream says neither where it goes nor what it wants'));
    const place = placeOf(info);
    if (routerAt(place) === this.info.id) return void this.#accept(raw, window, info);
    if (this.info.role === 'edge')
      return raw.sendRefused(refusal('unreachable', `${this.info.site.name} is an edge and carries nothing for others`));
    const hop = this.engine.nextHop(place);
    const link = hop === undefined ? undefined : this.#links.get(hop)?.link;
    // Back to where it came from: the two tables disagree, for the moment.
    if (!link || hop === from)
      return raw.sendRefused(refusal('unreachable', `${this.info.site.name} knows no path to the destination`));
    if (info.hops <= 0) return raw.sendRefused(refusal('unreachable', `the path is longer than ${MAX_HOPS} links`));
    const onward = link.openStream();
    const beginning = beginningOf(window, raw);
    spliceTransit(raw, onward, beginning, window - beginning);
    // Made anew: what a neighbour added to it travels no further.
    return onward.sendOpen(beginning, streamInfo(place, info, Math.min(info.hops, MAX_HOPS) - 1));
  }

  /** Streams that a shutdown would cut: this router's own, and those that pass through. */
  get streams(): number {
    return [...this.#links.values()].reduce((sum, { link }) => sum + link.streams, this.#ownStreams);
  }

  close(): void {
    clearInterval(this.#timer);
    this.flows.close();
    this.servers.close();
    this.#amqpServers.set([]);
    this.#amqp?.close();
  }

  async #reach(place: Place, wanted: Wanted): Promise<Duplex> {
    const stream = await this.#open(place, wanted);
    this.#count(stream);
    return stream;
  }

  async #open(place: Place, wanted: Wanted): Promise<Duplex> {
    if (routerAt(place) === this.info.id) return (await this.servers.connect(wanted)).stream;
    return LinkStream.open(this.#linkTo(place).openStream(), streamInfo(place, wanted, MAX_HOPS), ACCEPT_WITHIN_MS);
  }

  #linkTo(place: Place): Link {
    const hop = this.engine.nextHop(place);
    const link = hop === undefined ? undefined : this.#links.get(hop)?.link;
    if (!link) throw new StreamError(refusal('unreachable', 'no path leads there any more'));
    return link;
  }

  /** As one of this router's own streams, until it is closed. */
  #count(stream: Duplex): void {
    this.#ownStreams++;
    stream.once('close', () => this.#ownStreams--);
  }

  async #accept(raw: RawStream, window: number, wanted: Wanted): Promise<void> {
    try {
      const { stream, target } = await this.servers.connect(wanted, () => !raw.closed);
      // The client may have given up while the server was being reached.
      if (raw.closed) return abort(stream, new Error('the client has gone'));
      raw.sendOpened(INITIAL_WINDOW_BYTES, { target });
      this.#ownStreams++;
      void new SplicedStream(raw, window, stream, () => this.#ownStreams--);
      return undefined;
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      return raw.sendRefused({ code: error.code, message: error.message });
    }
  }

  /** The routers that a client of an address and port can be sent to. */
  destinations(address: string, port: number): readonly Destination[] {
    return takersOf(this.#directory.of(address, port).destinations, undefined);
  }

  /** What is made of requests to an address that is multicast; undefined where they go to one server each. */
  fanOut(address: string, port: number): FanOut | undefined {
    return this.#directory.of(address, port).fanOut;
  }

  distribution(address: string, port: number): Distribution {
    return this.#directory.of(address, port).distribution;
  }

  #apply({ send, changed, cut }: Effects): void {
    if (changed) this.#directory.forget();
    // A flood is one message for many links: it is encoded once.
    let last: { message: RoutingMessage; frame: Buffer } | undefined;
    for (const { link, message } of send) {
      if (last?.message !== message) last = { message, frame: encodeRouting(message) };
      this.#links.get(link)?.link.sendRouting(last.frame);
    }
    for (const { link, reason } of cut) this.#links.get(link)?.link.close({ code: 'protocol', message: reason });
    if (!changed) return;
    this.datagrams.forgetWays();
    this.flows.networkChanged();
    for (const follower of this.#followers) follower();
    this.#changed();
  }
}

function placeOf({ to, edge }: StreamInfo): Place {
  return { router: to, ...(edge !== undefined && { edge }) };
}

function streamInfo({ router, edge }: Place, { address, port, target, ...info }: Wanted, hops: number): StreamInfo {
  return {
    to: router,
    ...(edge !== undefined && { edge }),
    address,
    port,
    ...(target !== undefined && { target }),
    ...clientInfo(info),
    hops,
  };
}

function refusal(code: ReasonCode, message: string): Reason {
  return { code, message };
}

function isStreamInfo(info: unknown): info is StreamInfo {
  const { to, edge, address, port, target, hops } = (info ?? {}) as Partial<Record<keyof StreamInfo, unknown>>;
  if ([edge, target].some((text) => text !== undefined && typeof text !== 'string') || !isClientInfo(info ?? {})) return false;
  return typeof to === 'string' && typeof address === 'string' && Number.isInteger(port) && Number.isInteger(hops);
}
