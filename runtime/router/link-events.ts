import { ProtocolError } from '../link/frames.ts';
import type { Hello, Link, LinkEvents } from '../link/link.ts';
import type { Reason } from '../link/reason.ts';
import { MAX_COST } from '../routing/limits.ts';
import type { LinkId, RouterInfo } from '../routing/types.ts';
import { asRouter } from '../routing/validate.ts';
import type { Router } from './router.ts';

interface LinkEnd {
  id: LinkId;
  /** The link itself; it does not exist yet when its events are made. */
  link(): Link;
  /** The site that the certificate at the other end names. */
  siteId: string;
  /** The dialling side's cost is what counts: told by its greeting, and whenever it changes. */
  cost(told: number | undefined): number;
  up(peer: RouterInfo): void;
  closed(reason: Reason): void;
}

/** Joins a link to the router, for the dialling and the accepting end alike. */
export function linkEvents(router: Router, end: LinkEnd): LinkEvents {
  return {
    hello(hello) {
      const peer = checked(hello, router, end.siteId);
      const neighbor = { router: peer, protocol: hello.protocol ?? 1 };
      router.attach(end.id, end.link(), { neighbor, instance: hello.instance, cost: end.cost(hello.cost) });
      end.up(peer);
    },
    routing: (message) => router.receive(end.id, message),
    cost(told) {
      if (!isCost(told)) throw new ProtocolError(WRONG_COST);
      router.setCost(end.id, end.cost(told));
    },
    open: (stream, window, info) => router.open(stream, window, info, end.id),
    datagram: (header, flow, payload) => router.datagrams.receive(header, flow, payload, end.id),
    closed(reason) {
      router.detach(end.id);
      end.closed(reason);
    },
  };
}

const WRONG_COST = `its cost is not a whole number from 1 to ${MAX_COST}`;

function isCost(cost: unknown): cost is number {
  return Number.isInteger(cost) && (cost as number) >= 1 && (cost as number) <= MAX_COST;
}

/** Who the neighbour says it is, where that can be true. */
function checked(hello: Hello, router: Router, siteId: string): RouterInfo {
  const peer = asRouter(hello?.router);
  if (!peer) throw new ProtocolError('it does not say properly who it is');
  if (hello.cost !== undefined && !isCost(hello.cost)) throw new ProtocolError(WRONG_COST);
  if (peer.id === router.info.id)
    throw new ProtocolError('it has the same id as this router: it is this router, or a copy of its data');
  // A site's routers are named after it, so that none can take the place of another site's.
  if (peer.id !== siteId && !peer.id.startsWith(`${siteId}/`))
    throw new ProtocolError(`its router is called ${peer.id}, which is not of its site`);
  if (peer.site.id !== siteId)
    throw new ProtocolError(`it says that it is site ${peer.site.id}, but its certificate names another`);
  if (hello.protocol !== undefined && !(Number.isSafeInteger(hello.protocol) && hello.protocol >= 1))
    throw new ProtocolError('it does not say which version of the protocol it speaks');
  if (router.info.role === 'edge') {
    if (peer.role === 'edge') throw new ProtocolError('both ends are edge sites; link each with one that is not');
    if ((hello.protocol ?? 1) < 2) throw new ProtocolError('its version knows no edge sites; update it');
  }
  if (!Number.isSafeInteger(hello.instance)) throw new ProtocolError('it does not say when it started');
  return peer;
}
