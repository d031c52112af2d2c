import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { TunnelStream } from './tunnel-stream.ts';
import { answerUpgrade } from './websocket/upgrade.ts';

export const TUNNEL_SUBPROTOCOL = 'caravan-tunnel.1';
export const TUNNEL_PATH = '/tunnel';

/** Whether a client asks for a tunnel. What stands before is the proxy's, which may leave it there. */
export function isForTunnel({ url = '' }: IncomingMessage): boolean {
  return url.endsWith(TUNNEL_PATH);
}

/** Answers a client that asks for a tunnel with the connection that it carries; undefined where that was refused. */
export function takeTunnel(request: IncomingMessage, socket: Duplex, head: Buffer): Duplex | undefined {
  if (!answerUpgrade(request, socket, TUNNEL_SUBPROTOCOL)) return undefined;
  return new TunnelStream(socket, { dialled: false, head });
}
