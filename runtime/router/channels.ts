import { branchTransit, type BranchStart } from '../link/branches.ts';
import { INITIAL_WINDOW_BYTES } from '../link/credit.ts';
import { LinkStream } from '../link/link-stream.ts';
import { loopStreams } from '../link/loop-stream.ts';
import type { StreamPort } from '../link/raw-stream.ts';
import { beginningOf, spliceTransit } from '../link/transit.ts';
import type { RoutingEngine } from '../routing/engine.ts';
import { MAX_HOPS } from '../routing/limits.ts';
import { sharesByLink } from '../routing/multicast.ts';
import { isPlace, type LinkId, type Place, routerAt } from '../routing/types.ts';
import { ACCEPT_WITHIN_MS, MULTICAST_SINCE_PROTOCOL, type RouterLinks } from './router-links.ts';

/** Members of one multicast; whoever has more opens several. */
export const MAX_CHANNEL_MEMBERS = 25;

/** What the opening frame of a channel says. */
interface ChannelInfo {
  /** The routers that it goes to: one, and it answers; or several, and nothing comes back. */
  members: Place[];
  isMulticast: boolean;
  /** What both ends speak on it. */
  channel: string;
  address: string;
  /** Links that it may still pass. */
  hops: number;
}

/** Takes the channels that other routers open. `stream` of a multicast is read only. */
export type ChannelHandler = (stream: LinkStream, address: string) => void;

/**
 * Streams from router to router: for protocols that have a part of their own in each. To one router, there and back; or to several, one way,
 * as one stream that branches where their paths part, so that no link carries a byte twice.
 */
export class Channels {
  readonly #engine: RoutingEngine;
  readonly #links: RouterLinks;
  readonly #handlers = new Map<string, ChannelHandler>();

  constructor(engine: RoutingEngine, links: RouterLinks) {
    this.#engine = engine;
    this.#links = links;
  }

  handle(channel: string, handler: ChannelHandler): void {
    this.#handlers.set(channel, handler);
  }

  /** Rejects with a `StreamError`. */
  open(member: Place, channel: string, address: string): Promise<LinkStream> {
    return this.#open({ members: [member], isMulticast: false, channel, address, hops: MAX_HOPS });
  }

  /**
   * A stream whose bytes come to every one of these, at most `MAX_CHANNEL_MEMBERS`. Members that are lost on the way are in `lostMembers`;
   * when all are, it ends with an error. Rejects with a `StreamError` where none can be reached.
   */
  async openMulticast(members: readonly Place[], channel: string, address: string): Promise<LinkStream> {
    const stream = await this.#open({ members: [...members], isMulticast: true, channel, address, hops: MAX_HOPS });
    // Nothing comes back but the end, which wants to be read.
    return stream.resume();
  }

  /** From a neighbour. */
  arrived(from: StreamPort, window: number, info: ChannelInfo, link: LinkId): void {
    this.#carry(from, window, info, link);
  }

  #open(info: ChannelInfo): Promise<LinkStream> {
    const [near, far] = loopStreams();
    const stream = LinkStream.open(near, undefined, ACCEPT_WITHIN_MS);
    this.#carry(far, INITIAL_WINDOW_BYTES, info);
    return stream;
  }

  #carry(from: StreamPort, window: number, info: ChannelInfo, cameOver?: LinkId): void {
    const isHere = (place: Place) => routerAt(place) === this.#engine.self.id;
    const hops = Math.min(info.hops, MAX_HOPS) - 1;
    const refuse = (message: string) => from.sendRefused({ code: 'unreachable', message });
    if (hops < 0) return refuse(`the path is longer than ${MAX_HOPS} links`);
    const { isMulticast, channel, address } = info;
    // Of a multicast nothing comes back.
    const beginning = isMulticast ? window : beginningOf(window, from);
    const ways = info.members.some(isHere) ? [this.#here(info.members.filter(isHere), info, beginning)] : [];
    const others = info.members.filter((member) => !isHere(member));
    // An edge carries nothing for others.
    if (this.#engine.self.role !== 'edge' || cameOver === undefined) ways.push(...this.#onward(others, cameOver));
    if (ways.length === 0) return refuse(`${this.#engine.self.site.name} knows no path to the destination`);
    if (isMulticast) branchTransit(from, ways);
    else spliceTransit(from, ways[0]!.port, beginning, window - beginning);
    for (const { port, members } of ways)
      port.sendOpen(beginning, { members, isMulticast, channel, address, hops } satisfies ChannelInfo);
    const reached = new Set(ways.flatMap(({ members }) => members));
    const lost = info.members.filter((member) => !reached.has(member));
    if (lost.length > 0) from.sendLost(lost);
    return undefined;
  }

  #onward(members: Place[], cameOver: LinkId | undefined): BranchStart[] {
    const shares = sharesByLink(members, (member) => this.#engine.nextHop(member));
    return [...shares].flatMap(([id, share]) => {
      // Back to where it came from: the two tables disagree, for the moment.
      const end = id === cameOver ? undefined : this.#links.get(id);
      return end && end.protocol >= MULTICAST_SINCE_PROTOCOL ? [{ port: end.link.openStream(), members: share }] : [];
    });
  }

  /** The way to this router's own part of the protocol. */
  #here(members: Place[], { channel, address }: ChannelInfo, window: number): BranchStart {
    const [near, far] = loopStreams();
    const handler = this.#handlers.get(channel);
    // Once whoever opens it listens.
    queueMicrotask(() => {
      if (handler) handler(LinkStream.accept(far, window, {}), address);
      else far.sendRefused({ code: 'refused', message: `${this.#engine.self.site.name} does not speak ${channel}` });
    });
    return { port: near, members };
  }
}

export function isChannelInfo(info: unknown): info is ChannelInfo {
  const { members, isMulticast, channel, address, hops } = (info ?? {}) as Partial<Record<keyof ChannelInfo, unknown>>;
  return (
    Array.isArray(members) &&
    members.length > 0 &&
    members.length <= MAX_CHANNEL_MEMBERS &&
    members.every(isPlace) &&
    typeof isMulticast === 'boolean' &&
    (isMulticast || members.length === 1) &&
    typeof channel === 'string' &&
    typeof address === 'string' &&
    Number.isInteger(hops)
  );
}
