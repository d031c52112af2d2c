/** The words and the shapes of names that requests, resources, annotations and options share. Plain: the extension bundles it. */

export const PROTOCOLS = ['tcp', 'http', 'http2', 'udp', 'amqp'] as const;
export type Protocol = (typeof PROTOCOLS)[number];
export const DISTRIBUTIONS = ['balanced', 'closest', 'multicast'] as const;
export type Distribution = (typeof DISTRIBUTIONS)[number];
/** What a listener may choose for its own clients: who connects there cannot go to all. */
export const LISTENER_DISTRIBUTIONS = ['balanced', 'closest'] as const;

/** What is made of the answers to a request that goes to every place. */
export const AGGREGATES = ['json', 'multipart'] as const;
export type Aggregate = (typeof AGGREGATES)[number];

/** How servers that speak TLS are verified without an authority of their own: by those that the system trusts, or not at all. */
export const TLS_MODES = ['true', 'insecure'] as const;
export type TlsMode = (typeof TLS_MODES)[number];

/** What can go to every place at once: datagrams and requests can, connections cannot. */
const MULTICAST_PROTOCOLS: readonly Protocol[] = ['udp', 'http'];

/** Why a protocol cannot be distributed so; undefined where it can. A sentence without its end. */
export function whyNotDistributed(type: Protocol, distribution: Distribution): string | undefined {
  if (type === 'amqp' && distribution !== 'balanced')
    return `of amqp the address says how it is distributed: ${distribution === 'multicast' ? 'mc' : distribution}/NAME`;
  if (distribution !== 'multicast' || MULTICAST_PROTOCOLS.includes(type)) return undefined;
  return `multicast is for ${MULTICAST_PROTOCOLS.join(' and ')}, not for ${type}; use balanced or closest`;
}

/** Why answers are not put together where something is exposed so; undefined where they can be. A sentence without its end. */
export function whyNotAggregated(type: Protocol, distribution: Distribution): string | undefined {
  return type === 'http' && distribution === 'multicast'
    ? undefined
    : 'answers are put together only where http goes to all; use type http with distribution multicast';
}

/**
 * How a server stands in for those of an address: it takes over all, takes some (requests with a given field), or listens in (gets a copy of each
 * request, and its answers are dropped).
 */
export const INTERCEPTS = ['take-over', 'take-some', 'listen-in'] as const;
export type Intercept = (typeof INTERCEPTS)[number];

const INTERCEPTS_OF: Record<Protocol, readonly Intercept[]> = {
  tcp: ['take-over'],
  udp: ['take-over'],
  http: INTERCEPTS,
  http2: ['take-over', 'take-some'],
  amqp: [],
};

/** Why nobody can stand in so for servers of a protocol; undefined where it can be. A sentence without its end. */
export function whyNotIntercepted(type: Protocol, how: Intercept): string | undefined {
  const possible = INTERCEPTS_OF[type];
  if (possible.includes(how)) return undefined;
  return `${how} is not possible for ${type}${possible.length > 0 ? `; use ${possible.join(' or ')}` : ''}`;
}

/** The field that says whose requests these are: an entry of W3C's baggage, which services hand on to those that they call. */
export function headerOfUser(username: string): string {
  return `baggage: caravan=${username.replaceAll(/[^\w.-]+/g, '-') || 'me'}`;
}

/** As in routing/limits.ts, which the extension does not bundle: whatever an offer says of the requests that its server takes. Characters. */
export const MAX_RULE_LENGTH = 253;
/** As there. */
export const MAX_REQUEST_WEIGHT = 1_000_000;
/** Of the names of resources that commands make: in a host's store they are a part of a file's name, which may have 255 bytes. */
export const MAX_MADE_NAME_LENGTH = 200;
/** A resource's, as Kubernetes has it. At most 253 characters. */
export const NAME_PATTERN = /^(?!.{254})[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
/** At most 253 characters. */
export const ADDRESS_PATTERN = /^\w[\w./:@-]{0,252}$/;
/** A host's name or address. At most 253 characters. */
export const HOST_PATTERN = /^[\w.:%-]{1,253}$/;
/** Go's, without a sign: `30s`, `1h30m`. */
export const DURATION_PATTERN = /^(\d+(\.\d+)?(ms|s|m|h))+$/;
