/**
 * What annotations say of TLS. `tls-trust` and `tls-cert` are Skupper v1's, as those of `annotations.ts` are; the others are ours. Plain: no
 * client, so that the extension may load it at activation.
 */
import { HOST_PATTERN, NAME_PATTERN, type Protocol, TLS_MODES, type TlsMode } from '../api/vocabulary.ts';
import type { Exposure, WorkloadKind } from './types.ts';

export const TLS = 'skupper.io/tls';
export const TLS_TRUST = 'skupper.io/tls-trust';
export const TLS_SERVER_NAME = 'skupper.io/tls-server-name';
export const TLS_CLIENT_CERT = 'skupper.io/tls-client-cert';
export const TLS_CERT = 'skupper.io/tls-cert';
/** All but the last are of TLS with the servers; the last is of TLS with clients. */
export const TLS_ANNOTATIONS = [TLS, TLS_TRUST, TLS_SERVER_NAME, TLS_CLIENT_CERT, TLS_CERT] as const;
export type TlsAnnotation = (typeof TLS_ANNOTATIONS)[number];

type Annotations = Readonly<Record<string, string>>;
type TlsPart = Pick<Exposure, 'tls' | 'listenerCredentials'>;

/** What they stand on. */
export interface Annotated {
  kind: WorkloadKind;
  /** What it is exposed as. */
  type: Protocol;
}

/** How TLS is spoken with servers and clients; one sentence where the annotations make no sense. */
export function readTls(given: Annotations, on: Annotated): TlsPart | string {
  for (const key of TLS_ANNOTATIONS) {
    const wrong = whyNotTls(key, given, on);
    if (wrong !== undefined) return wrong;
  }
  const { [TLS]: mode, [TLS_TRUST]: credentials, [TLS_SERVER_NAME]: serverName, [TLS_CERT]: listenerCredentials } = given;
  const tls = {
    ...(mode !== undefined && { mode: mode as TlsMode }),
    ...(credentials !== undefined && { credentials }),
    ...(given[TLS_CLIENT_CERT] === 'true' && { useClientCert: true as const }),
    ...(serverName !== undefined && { serverName }),
  };
  return { ...(hasServerTls(given) && { tls }), ...(listenerCredentials !== undefined && { listenerCredentials }) };
}

/** The annotations that say so. */
export function tlsAnnotationsFor({ tls, listenerCredentials }: TlsPart): Record<string, string> {
  return {
    ...(tls?.mode && { [TLS]: tls.mode }),
    ...(tls?.credentials && { [TLS_TRUST]: tls.credentials }),
    ...(tls?.serverName && { [TLS_SERVER_NAME]: tls.serverName }),
    ...(tls?.useClientCert && { [TLS_CLIENT_CERT]: 'true' }),
    ...(listenerCredentials && { [TLS_CERT]: listenerCredentials }),
  };
}

const SECRET = { allowed: 'the name of a Secret', is: (value: string) => NAME_PATTERN.test(value) };
const VALUES: Record<TlsAnnotation, { allowed: string; is: (value: string) => boolean }> = {
  [TLS]: { allowed: `one of ${TLS_MODES.join(', ')}`, is: (value) => (TLS_MODES as readonly string[]).includes(value) },
  [TLS_TRUST]: SECRET,
  [TLS_SERVER_NAME]: { allowed: 'a host name', is: (value) => HOST_PATTERN.test(value) },
  [TLS_CLIENT_CERT]: { allowed: 'true or false', is: (value) => value === 'true' || value === 'false' },
  [TLS_CERT]: SECRET,
};

/** One sentence, where an annotation that is there makes no sense. */
export function whyNotTls(key: TlsAnnotation, given: Annotations, { kind, type }: Annotated): string | undefined {
  const value = given[key];
  if (value === undefined) return undefined;
  const { allowed, is } = VALUES[key];
  if (!is(value)) return `${key} is "${value}"; it must be ${allowed}.`;
  if (type === 'udp') return `${key} is not for udp; remove it.`;
  if (key === TLS_CLIENT_CERT && value === 'true' && given[TLS_TRUST] === undefined)
    return `${key} needs ${TLS_TRUST}: the Secret that has the certificate.`;
  if (key === TLS_SERVER_NAME && !hasServerTls(given))
    return `${key} is a part of TLS with servers; add ${TLS_TRUST}, or ${TLS}: "true".`;
  if (key === (given[TLS_TRUST] === undefined ? TLS : TLS_TRUST) && !isVerifiable(given, kind))
    return `${key}: pods of a ${kind} have no name that a certificate could be for; say which with ${TLS_SERVER_NAME}, or annotate their Service.`;
  return undefined;
}

function hasServerTls(given: Annotations): boolean {
  return given[TLS] !== undefined || given[TLS_TRUST] !== undefined;
}

/** A Service has a name of its own. */
function isVerifiable(given: Annotations, kind: WorkloadKind): boolean {
  return kind === 'Service' || given[TLS] === 'insecure' || given[TLS_SERVER_NAME] !== undefined;
}
