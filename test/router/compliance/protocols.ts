import { amqp } from './amqp.ts';
import { http } from './http.ts';
import { http2 } from './http2.ts';
import type { Protocol } from './protocol.ts';
import { tcpOverTls } from './tcp-over-tls.ts';
import { tcp } from './tcp.ts';
import { udp } from './udp.ts';

export const PROTOCOLS: readonly Protocol[] = [tcp, tcpOverTls, http, http2, udp, amqp];
