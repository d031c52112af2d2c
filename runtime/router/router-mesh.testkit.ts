/** Routers in one process, linked over real sockets on loopback. */
import { until } from '../../test/support/until.ts';
import { PROTOCOL } from '../routing/types.ts';
import { type Hello, Link } from '../link/link.ts';
import { type SocketPair, socketPair } from '../link/link-pair.testkit.ts';
import type { MessageSocket } from '../link/websocket/message-socket.ts';
import { silentLog } from '../log.ts';
import { linkEvents } from './link-events.ts';
import { Router } from './router.ts';

export class RouterMesh {
  readonly #routers = new Map<string, Router>();
  readonly #pairs: SocketPair[] = [];
  readonly #protocols = new Map<Router, number>();

  /** `protocol`: the version that it says it speaks. */
  add(name: string, { role, protocol }: { role?: 'edge'; protocol?: number } = {}): Router {
    const info = { id: name, site: { id: name, name }, version: '1', platform: 'host', ...(role && { role }) } as const;
    const router = new Router(info, silentLog, () => {});
    this.#routers.set(name, router);
    if (protocol !== undefined) this.#protocols.set(router, protocol);
    return router;
  }

  /** The link, as each end has it. */
  async link(a: Router, b: Router, { cost = 1, withinMs }: { cost?: number; withinMs?: number } = {}): Promise<[Link, Link]> {
    const pair = await socketPair();
    this.#pairs.push(pair);
    const end = (router: Router, peer: Router, socket: MessageSocket, dialled: boolean): Link => {
      const id = `${router.info.id}-${peer.info.id}-${this.#pairs.length}`;
      const siteId = peer.info.site.id;
      const events = linkEvents(router, { id, link: () => link, siteId, cost: () => cost, up() {}, closed() {} });
      const link: Link = new Link(socket, { dialled, hello: this.#hello(router, dialled ? cost : undefined), events });
      return link;
    };
    const links: [Link, Link] = [end(a, b, pair.dialled, true), end(b, a, pair.accepted, false)];
    const isUp = () => a.engine.paths.has(b.info.id) && b.engine.routers().some(({ id }) => id === a.info.id);
    await until('the link', isUp, { timeoutMs: withinMs });
    return links;
  }

  /** As that version says it: the first one said nothing of versions. */
  #hello(router: Router, cost: number | undefined): Hello {
    const { protocol = PROTOCOL, ...hello } = { ...router.hello(cost), protocol: this.#protocols.get(router) };
    return protocol === 1 ? hello : { ...hello, protocol };
  }

  /** Until every router knows the way to every interior one. */
  async settle(): Promise<void> {
    const all = [...this.#routers.values()];
    const interior = all.filter(({ info }) => info.role !== 'edge');
    await until('every path', () => all.every(({ engine }) => interior.every(({ info }) => engine.paths.has(info.id))));
  }

  async stop(): Promise<void> {
    for (const router of this.#routers.values()) router.close();
    await Promise.all(this.#pairs.map((pair) => pair.stop()));
  }
}
