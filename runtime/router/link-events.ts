import { ProtocolError } from '../link/frames.ts';
import type { Hello, Link, LinkEvents } from '../link/link.ts';
import type { Reason } from '../link/reason.ts';
import { MAX_COST, MAX_NAME_LENGTH } from '../routing/limits.ts';
import type { LinkId, RouterInfo } from '../routing/types.ts';
import type { Router } from './router.ts';

interface LinkEnd {
  id: LinkId;
  /** The link itself; it does not exist yet when its events are made. */
  link(): Link;
  /** The site that the certificate at the other end names. */
  siteId: string;
  cost(hello: Hello): number;
  up(peer: RouterInfo): void;
  closed(reason: Reason): void;
}

/** Joins a link to the router, for the dialling and the accepting end alike. */
export function linkEvents(router: Router, end: LinkEnd): LinkEvents {
  return {
    hello(hello) {
      const peer = checked(hello, router, end.siteId);
      end.up(peer);
      router.attach(end.id, end.link(), peer.id, end.cost(hello));
    },
    routing: (message) => router.receive(end.id, message),
    open: (stream, window, info) => router.open(stream, window, info),
    closed(reason) {
      router.detach(end.id);
      end.closed(reason);
    },
  };
}

/** Who the neighbour says it is, where that can be true. */
function checked(hello: Hello, router: Router, siteId: string): RouterInfo {
  const peer = hello?.router as RouterInfo | undefined;
  const texts = [peer?.id, peer?.site?.id, peer?.site?.name, peer?.version];
  if (!peer || texts.some((text) => typeof text !== 'string' || text.length === 0 || text.length > MAX_NAME_LENGTH))
    throw new ProtocolError('it does not say properly who it is');
  if (hello.cost !== undefined && !(Number.isInteger(hello.cost) && hello.cost >= 1 && hello.cost <= MAX_COST))
    throw new ProtocolError(`its cost is not a whole number from 1 to ${MAX_COST}`);
  if (peer.id === router.info.id)
    throw new ProtocolError('it has the same id as this router: it is this router, or a copy of its data');
  if (peer.site.id !== siteId)
    throw new ProtocolError(`it says that it is site ${peer.site.id}, but its certificate names another`);
  return peer;
}
