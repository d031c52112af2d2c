import type { LinkStatus } from '../api/types.ts';
import { Link } from '../link/link.ts';
import type { MessageSocket } from '../link/websocket/message-socket.ts';
import type { Log } from '../log.ts';
import type { RouterInfo } from '../routing/types.ts';
import { linkEvents } from './link-events.ts';
import type { Router } from './router.ts';

interface Incoming {
  id: string;
  link: Link;
  siteId: string;
  peer: RouterInfo | undefined;
  /** What people call it: two sites may have the same name. */
  name: string;
  cost: number;
  since: Date;
}

/** The links that other sites dialled. */
export class IncomingLinks {
  readonly #router: Router;
  readonly #log: Log;
  readonly #changed: () => void;
  readonly #links = new Set<Incoming>();
  #count = 0;

  constructor(router: Router, options: { log: Log; changed: () => void }) {
    this.#router = router;
    this.#log = options.log;
    this.#changed = options.changed;
  }

  add(socket: MessageSocket, siteId: string): void {
    const id = `in:${++this.#count}`;
    const events = linkEvents(this.#router, {
      id,
      link: () => link,
      siteId,
      cost: (told) => (incoming.cost = told ?? 1),
      up: (peer) => {
        incoming.peer = peer;
        incoming.name = this.#freeName(`from-${peer.site.name}`);
        this.#log.info(`link from ${peer.site.name} is up`);
        this.#changed();
      },
      closed: (reason) => {
        this.#links.delete(incoming);
        this.#log.info(`link from ${incoming.peer?.site.name ?? siteId} has ended: ${reason.message}`);
        this.#changed();
      },
    });
    const link = new Link(socket, { dialled: false, hello: this.#router.hello(), events });
    const incoming: Incoming = { id, link, siteId, peer: undefined, name: '', cost: 1, since: new Date() };
    this.#links.add(incoming);
  }

  /** Cuts every link of a site. */
  cut(siteId: string, message: string): void {
    for (const incoming of this.#links) if (incoming.siteId === siteId) incoming.link.close({ code: 'closing', message });
  }

  close(message: string): void {
    for (const { link } of this.#links) link.close({ code: 'closing', message });
  }

  /** Whether a link of this site is up. */
  has(siteId: string): boolean {
    return [...this.#links].some((incoming) => incoming.siteId === siteId && incoming.peer !== undefined);
  }

  /** @param certificateEnd until when a site is let in */
  status(site: string, certificateEnd: (siteId: string) => string | undefined): LinkStatus[] {
    return [...this.#links].flatMap(({ name, link, peer, cost, since, siteId }) => {
      if (!peer) return [];
      const certificateEnds = certificateEnd(siteId);
      return {
        id: name,
        site,
        peer: peer.site.name,
        peerId: siteId,
        cost,
        state: 'up',
        direction: 'incoming',
        since: since.toISOString(),
        ...(certificateEnds !== undefined && { certificateEnds }),
        ...(link.rttMs !== undefined && { rttMs: link.rttMs }),
        bytesIn: link.bytesIn,
        bytesOut: link.bytesOut,
        streams: link.streams,
      };
    });
  }

  #freeName(wanted: string): string {
    const taken = new Set([...this.#links].map(({ name }) => name));
    for (let count = 1; ; count++) {
      const name = count === 1 ? wanted : `${wanted}-${count}`;
      if (!taken.has(name)) return name;
    }
  }
}
