import type { Protocol } from '../api/types.ts';

export const PROTOCOLS = ['tcp', 'udp', 'http', 'http2', 'amqp'] as const satisfies readonly Protocol[];
