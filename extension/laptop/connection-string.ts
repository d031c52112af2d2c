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
/** What a browser shows. */
const BROWSABLE = /^https?:/;
const SCHEME_OF_TYPE: Partial<Record<Protocol, string>> = { http: 'http', http2: 'http', amqp: 'amqp' };

/**
 * How programs of this computer are told of a service: `postgresql://localhost:5432`. User, password and database are theirs to add.
 * The service's own port tells what it speaks; where it tells nothing, the type does, and else it is `localhost:9000`.
 */
export function connectionString({ type, servicePort, local }: { type: Protocol; servicePort: number; local: string }): string {
  const scheme = SCHEME_OF_PORT[servicePort] ?? SCHEME_OF_TYPE[type];
  return scheme === undefined ? local : `${scheme}://${local}`;
}

/**
 * What a browser opens of a service of this computer: `https://localhost:8443`. Undefined where it speaks what no browser does; a tcp
 * port that tells nothing may be a page.
 */
export function browserUrl(service: { type: Protocol; servicePort: number; local: string }): string | undefined {
  if (service.type === 'http') return `http://${service.local}`;
  if (service.type !== 'tcp') return undefined;
  const known = connectionString(service);
  if (known === service.local) return `http://${service.local}`;
  return BROWSABLE.test(known) ? known : undefined;
}
