import { openHttpListener } from '../protocols/http/http-listener.ts';
import { openHttp2Listener } from '../protocols/http2/http2-listener.ts';
import type { OpenListener } from '../protocols/listener.ts';
import { openTcpListener } from '../protocols/tcp/tcp-listener.ts';
import { openUdpListener } from '../protocols/udp/udp-listener.ts';
import type { Protocol } from '../routing/types.ts';

/** How each protocol takes its clients. */
export const openListener: Record<Exclude<Protocol, 'amqp'>, OpenListener> = {
  tcp: openTcpListener,
  http: openHttpListener,
  http2: openHttp2Listener,
  udp: openUdpListener,
};
