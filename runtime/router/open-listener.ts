import type { OpenListener } from '../protocols/listener.ts';
import { openTcpListener } from '../protocols/tcp/tcp-listener.ts';
import { openUdpListener } from '../protocols/udp/udp-listener.ts';
import type { Protocol } from '../routing/types.ts';

/** How each protocol takes its clients. */
export const openListener: Record<Protocol, OpenListener> = {
  tcp: openTcpListener,
  // Carried as streams for now.
  http: openTcpListener,
  http2: openTcpListener,
  amqp: openTcpListener,
  udp: openUdpListener,
};
