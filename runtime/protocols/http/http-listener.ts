import type { Socket } from 'node:net';
import { sparing } from '../../log.ts';
import { acceptClients } from '../accept-clients.ts';
import type { OpenListener } from '../listener.ts';
import { ClientConnection } from './client-connection.ts';
import { CopiedExchange } from './copied-exchange.ts';
import { SingleExchange } from './single-exchange.ts';
import { FanOutExchange } from './fan-out-exchange.ts';
import type { RequestHead } from './head.ts';
import { DEFAULT_LIMITS, type HttpLimits } from './limits.ts';
import type { HandleRequest, HttpContext, RequestClient, RequestHandler } from './request-handler.ts';
import { ServerPool } from './server-pool.ts';

/** How often is looked for what has taken too long. Milliseconds. */
const SWEEP_EVERY_MS = 1000;

/** A socket that listens for HTTP/1.1: every request goes to the server that is best at that moment. */
export const openHttpListener: OpenListener = httpListener();

/** The same with other limits. */
export function httpListener(changed: Partial<HttpLimits> = {}): OpenListener {
  const limits = { ...DEFAULT_LIMITS, ...changed };
  return (host, port, way) => {
    const context: HttpContext = {
      way,
      log: sparing(way.log),
      pool: new ServerPool(limits),
      limits,
      copies: { underWay: 0 },
      fanOut: { left: limits.fanOutBytes },
      isClosing: false,
    };
    const clients = new Set<ClientConnection>();
    const timer = setInterval(
      () => {
        const now = performance.now();
        for (const client of clients) client.sweep(now);
        context.pool.sweep(now);
      },
      Math.min(SWEEP_EVERY_MS, limits.headWithinMs, limits.stalledMs, limits.clientIdleMs, limits.lingerMs, limits.serverIdleMs),
    ).unref();
    const handle: HandleRequest = (head, client) => handlerFor(head, client, context);
    const take = (socket: Socket) => {
      const client = new ClientConnection(socket, context, handle);
      way.count(socket);
      clients.add(client);
      socket.once('close', () => clients.delete(client));
    };
    const opening = acceptClients(host, port, way, take);
    opening.catch(() => clearInterval(timer));
    return opening.then((clientsPort) => ({
      port: clientsPort.port,
      close: () => {
        context.isClosing = true;
        // The timer goes on for clients whose last request is under way.
        clientsPort.close(() => clearInterval(timer));
        context.pool.close();
        for (const client of clients) client.endIdle();
      },
    }));
  };
}

function handlerFor(head: RequestHead, client: RequestClient, context: HttpContext): RequestHandler {
  const fanOut = context.way.fanOut();
  if (fanOut) return new FanOutExchange(fanOut, head, client, context);
  // What follows a change of the protocol is no request.
  const listening = head.upgrade === undefined ? context.way.copies(head) : [];
  if (listening.length > 0) return new CopiedExchange(listening, head, client, context);
  return new SingleExchange(head, client, context);
}
