import { type DatagramHeader, type EncodedHeader, encodeHeader, MAX_MEMBERS } from '../link/datagram.ts';
import type { RoutingEngine } from '../routing/engine.ts';
import { MAX_HOPS } from '../routing/limits.ts';
import { sharesByLink } from '../routing/multicast.ts';
import { type LinkId, type Place, routerAt } from '../routing/types.ts';
import { MULTICAST_SINCE_PROTOCOL, type RouterLinks } from './router-links.ts';

/** Headers whose way is remembered: those of all flows between the same places, and of one address, are the same. */
const MAX_KNOWN_HEADERS = 10_000;

/** What a datagram that has arrived says of itself. */
export type Arrived = Omit<DatagramHeader, 'to' | 'hops'>;
/** Takes the datagrams of one header: the number of the flow, and the payload. */
export type Receiver = (flow: number, payload: Buffer) => void;

/** What is to be done with the datagrams of one header as long as no path changes. */
interface Way {
  /** Undefined where none of them ends here. */
  deliver: Receiver | undefined;
  onward: { link: LinkId; header: EncodedHeader }[];
}

/**
 * Carries datagrams: one copy a link, however many members lie behind it. Nothing waits for an answer, and what finds no room or no path is
 * dropped, as networks do.
 */
export class Datagrams {
  readonly #engine: RoutingEngine;
  readonly #links: RouterLinks;
  readonly #receiver: (arrived: Arrived) => Receiver;
  /** By the header's JSON. */
  readonly #ways = new Map<string, Way>();
  /** Since this router started. */
  dropped = 0;

  constructor(engine: RoutingEngine, links: RouterLinks, receiver: (arrived: Arrived) => Receiver) {
    this.#engine = engine;
    this.#links = links;
    this.#receiver = receiver;
  }

  /** Paths changed: what is remembered of them holds no more. */
  forgetWays(): void {
    this.#ways.clear();
  }

  /** Sends to every one of these places, this router's own among them, whenever it is called. */
  sender(to: readonly Place[], flow: number, arrived: Arrived): (payload: Buffer) => void {
    const headers = Array.from({ length: Math.ceil(to.length / MAX_MEMBERS) }, (_, at) =>
      encodeHeader({ to: to.slice(at * MAX_MEMBERS, (at + 1) * MAX_MEMBERS), ...arrived, hops: MAX_HOPS }),
    );
    return (payload) => {
      for (const header of headers) this.#carry(header, flow, payload);
    };
  }

  /** From a neighbour. */
  receive(header: EncodedHeader, flow: number, payload: Buffer, from: LinkId): void {
    this.#carry(header, flow, payload, from);
  }

  #carry(encoded: EncodedHeader, flow: number, payload: Buffer, from?: LinkId): void {
    const { deliver, onward } = this.#ways.get(encoded.json) ?? this.#find(encoded);
    for (const { link: id, header } of onward) {
      // Never back to where it came from: the two tables disagree, for the moment.
      const end = id === from ? undefined : this.#links.get(id);
      if (!end || end.protocol < MULTICAST_SINCE_PROTOCOL || !end.link.sendDatagram(header, flow, payload)) this.dropped++;
    }
    deliver?.(flow, payload);
  }

  #find({ header, json }: EncodedHeader): Way {
    const { to, hops, ...arrived } = header;
    const isHere = (place: Place) => routerAt(place) === this.#engine.self.id;
    const others = to.filter((place) => !isHere(place));
    const hopsLeft = Math.min(hops, MAX_HOPS) - 1;
    const mayPass = hopsLeft >= 0 && (this.#engine.self.role !== 'edge' || isHere(arrived.from));
    const shares = mayPass ? sharesByLink(others, (place) => this.#engine.nextHop(place)) : new Map<LinkId, Place[]>();
    const way: Way = {
      deliver: to.some(isHere) ? this.#receiver(arrived) : undefined,
      onward: [...shares].map(([link, share]) => ({ link, header: encodeHeader({ to: share, ...arrived, hops: hopsLeft }) })),
    };
    if (this.#ways.size >= MAX_KNOWN_HEADERS) this.#ways.clear();
    this.#ways.set(json, way);
    return way;
  }
}
