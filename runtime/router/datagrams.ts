import { type DatagramHeader, decodeHeader, encodeHeader, MAX_MEMBERS, splitDatagram } from '../link/datagram.ts';
import type { RoutingEngine } from '../routing/engine.ts';
import { MAX_HOPS } from '../routing/limits.ts';
import { sharesByLink } from '../routing/multicast.ts';
import { type LinkId, type Place, routerAt } from '../routing/types.ts';
import { MULTICAST_SINCE_PROTOCOL, type RouterLinks } from './router-links.ts';

/** Headers whose way is remembered; the datagrams of one flow all have the same. */
const MAX_KNOWN_HEADERS = 10_000;

/** What a datagram that has arrived says of itself. */
export type Arrived = Omit<DatagramHeader, 'to' | 'hops'>;

/** A header, and what is to be done with its datagrams as long as no path changes. */
interface Way {
  header: DatagramHeader;
  isForHere: boolean;
  onward: { link: LinkId; header: Buffer }[];
}

/**
 * Carries datagrams: one copy a link, however many members lie behind it. Nothing waits for an answer, and what finds no room or no path is
 * dropped, as networks do.
 */
export class Datagrams {
  readonly #engine: RoutingEngine;
  readonly #links: RouterLinks;
  readonly #deliver: (arrived: Arrived, payload: Buffer) => void;
  readonly #ways = new Map<string, Way>();
  /** Since this router started. */
  dropped = 0;

  constructor(engine: RoutingEngine, links: RouterLinks, deliver: (arrived: Arrived, payload: Buffer) => void) {
    this.#engine = engine;
    this.#links = links;
    this.#deliver = deliver;
  }

  /** Paths changed: what is remembered of them holds no more. */
  forgetWays(): void {
    this.#ways.clear();
  }

  /** Sends to every one of these places, this router's own among them, whenever it is called. */
  sender(to: readonly Place[], arrived: Arrived): (payload: Buffer) => void {
    const headers = Array.from({ length: Math.ceil(to.length / MAX_MEMBERS) }, (_, at) => {
      const header = { to: to.slice(at * MAX_MEMBERS, (at + 1) * MAX_MEMBERS), ...arrived, hops: MAX_HOPS };
      return { header, key: JSON.stringify(header) };
    });
    return (payload) => {
      for (const { header, key } of headers)
        this.#carry(
          this.#way(key, () => header),
          payload,
        );
    };
  }

  /** From a neighbour. Throws a `ProtocolError`. */
  receive(body: Buffer, from: LinkId): void {
    const { header, payload } = splitDatagram(body);
    const way = this.#way(header, () => decodeHeader(header));
    this.#carry(way, payload, from);
  }

  #carry({ header, isForHere, onward }: Way, payload: Buffer, from?: LinkId): void {
    for (const { link: id, header: bytes } of onward) {
      // Never back to where it came from: the two tables disagree, for the moment.
      const end = id === from ? undefined : this.#links.get(id);
      if (!end || end.protocol < MULTICAST_SINCE_PROTOCOL || !end.link.sendDatagram(Buffer.concat([bytes, payload])))
        this.dropped++;
    }
    if (isForHere) this.#deliver(header, payload);
  }

  #way(key: string, read: () => DatagramHeader): Way {
    const known = this.#ways.get(key);
    if (known) return known;
    const header = read();
    const { to, from, flow, address, port, every } = header;
    const isHere = (place: Place) => routerAt(place) === this.#engine.self.id;
    const others = to.filter((place) => !isHere(place));
    const hops = Math.min(header.hops, MAX_HOPS) - 1;
    const mayPass = hops >= 0 && (this.#engine.self.role !== 'edge' || isHere(from));
    const shares = mayPass ? sharesByLink(others, (place) => this.#engine.nextHop(place)) : new Map<LinkId, Place[]>();
    const way: Way = {
      header,
      isForHere: to.some(isHere),
      // Made anew: what a neighbour added to it travels no further.
      onward: [...shares].map(([link, share]) => ({
        link,
        header: encodeHeader({
          to: share,
          from,
          flow,
          ...(address !== undefined && { address, port: port! }),
          ...(every && { every }),
          hops,
        }),
      })),
    };
    if (this.#ways.size >= MAX_KNOWN_HEADERS) this.#ways.clear();
    this.#ways.set(key, way);
    return way;
  }
}
