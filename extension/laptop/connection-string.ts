import type { Protocol } from '../../runtime/api/types.ts';

/** What usually speaks at a port. */
const SCHEME_OF_PORT: Record<number, string> = {
  80: 'http',
  443: 'https',
  3306: 'mysql',
  5432: 'postgresql',
  5671: 'amqps',
  5672: 'amqp',
  6379: 'redis',
  6380: 'rediss',
  8080: 'http',
  8443: 'https',
  27017: 'mongodb',
};
const SCHEME_OF_TYPE: Partial<Record<Protocol, string>> = { http: 'http', http2: 'http', amqp: 'amqp' };

/**
 * How programs of this computer are told of a service: `postgresql://localhost:5432`. User, password and database are theirs to add.
 * The service's own port tells what it speaks; where it tells nothing, the type does, and else it is `localhost:9000`.
 */
export function connectionString({ type, servicePort, local }: { type: Protocol; servicePort: number; local: string }): string {
  const scheme = SCHEME_OF_PORT[servicePort] ?? SCHEME_OF_TYPE[type];
  return scheme === undefined ? local : `${scheme}://${local}`;
}
