/** From `tlsCredentials` and its Secret to how a listener or a connector speaks TLS. A text is what is wrong: a sentence without its end. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { NAME_PATTERN, TLS_MODES } from '../api/vocabulary.ts';
import type { ClientTls } from '../protocols/tls/client-tls.ts';
import { ANY_ALPN, type ServerTls } from '../protocols/tls/server-tls.ts';
import type { Protocol } from '../routing/types.ts';
import type { Spec } from './resources.ts';

export type Secrets = ReadonlyMap<string, Spec<'Secret'>>;
type SecretKey = keyof Spec<'Secret'>;

/**
 * What the application's protocol can be (ALPN, RFC 7301). What a stream of TCP carries is the client's and the server's matter; web
 * clients that offer both get h2.
 */
const LISTENER_ALPN: Partial<Record<Protocol, readonly string[]>> = {
  tcp: ['h2', 'http/1.1', ANY_ALPN],
  http: ['http/1.1'],
  http2: ['h2', 'http/1.1'],
  amqp: [ANY_ALPN],
};
const CONNECTOR_ALPN: Partial<Record<Protocol, readonly string[]>> = { http: ['http/1.1'], http2: ['h2'] };
/** Of settings.alpn. */
const ALPN_LIST = /^[\x21-\x2b\x2d-\x7e]{1,255}(, *[\x21-\x2b\x2d-\x7e]{1,255}){0,15}$/;

/** What is wrong with the Secret that a connector names for listeners elsewhere; undefined where nothing is. */
export function whyNotListenerCredentials({ type, settings }: Pick<Spec<'Connector'>, 'type' | 'settings'>): string | undefined {
  const { listenerCredentials } = settings;
  if (listenerCredentials === undefined) return undefined;
  if (!NAME_PATTERN.test(listenerCredentials))
    return `settings.listenerCredentials is "${listenerCredentials}"; use the name of a Secret`;
  return type === 'udp' ? 'settings.listenerCredentials is not for udp; remove it' : undefined;
}

/** Undefined where clients speak plainly. */
export function listenerTls(
  { type, tlsCredentials, settings }: Pick<Spec<'Listener'>, 'type' | 'tlsCredentials' | 'settings'>,
  secrets: Secrets,
): ServerTls | string | undefined {
  const { alpn, verifyClients } = settings;
  if (tlsCredentials === undefined) {
    const stray = ['alpn', 'verifyClients'].find((key) => settings[key] !== undefined);
    return stray && `settings.${stray} is a part of TLS; add tlsCredentials, or remove it`;
  }
  if (type === 'udp') return 'tlsCredentials is not for udp; remove it';
  if (alpn !== undefined && !ALPN_LIST.test(alpn)) return `settings.alpn is "${alpn}"; write names such as "h2, http/1.1"`;
  if (verifyClients !== undefined && verifyClients !== 'true' && verifyClients !== 'false')
    return `settings.verifyClients is "${verifyClients}"; use true or false`;
  const secret = secrets.get(tlsCredentials);
  if (!secret) return noSecret(tlsCredentials, 'tls.crt and tls.key');
  const own = ownCertificate(tlsCredentials, secret);
  if (typeof own === 'string') return own;
  const clientAuthority = verifyClients === 'false' ? undefined : secret['ca.crt'];
  if (verifyClients === 'true' && clientAuthority === undefined)
    return `the Secret ${tlsCredentials} has no ca.crt to verify clients with; add it`;
  const wrong = clientAuthority === undefined ? undefined : wrongCertificate(tlsCredentials, 'ca.crt', clientAuthority);
  if (wrong !== undefined) return wrong;
  return {
    ...own,
    ...(clientAuthority !== undefined && { clientAuthority }),
    alpn: alpn?.split(/, */) ?? LISTENER_ALPN[type] ?? [],
  };
}

/** Undefined where servers are spoken to plainly. `namedHost` is the server's host, where there is one that was written down. */
export function connectorTls(
  { type, tlsCredentials, useClientCert, verifyHostname = true, settings }: Spec<'Connector'>,
  namedHost: string | undefined,
  secrets: Secrets,
): ClientTls | string | undefined {
  const { tls: mode, tlsServerName } = settings;
  if (mode !== undefined && !(TLS_MODES as readonly string[]).includes(mode))
    return `settings.tls is "${mode}"; use ${TLS_MODES.join(' or ')}`;
  if (tlsCredentials === undefined && mode === undefined) {
    const stray = useClientCert ? 'useClientCert' : tlsServerName === undefined ? undefined : 'settings.tlsServerName';
    return stray && `${stray} is a part of TLS; add tlsCredentials, or settings.tls: "true"`;
  }
  if (type === 'udp') return 'TLS is not for udp; remove tlsCredentials and settings.tls';
  const serverName = tlsServerName ?? namedHost;
  const insecure = mode === 'insecure';
  if (serverName === undefined && verifyHostname && !insecure)
    return "pods have no name that a certificate could be for; write the certificate's name in settings.tlsServerName, or verifyHostname: false";
  const tls: ClientTls = {
    ...(serverName !== undefined && { serverName }),
    ...(!verifyHostname && { anyName: true }),
    ...(insecure && { insecure }),
    ...(CONNECTOR_ALPN[type] && { alpn: CONNECTOR_ALPN[type] }),
  };
  if (tlsCredentials === undefined) return useClientCert ? 'useClientCert needs tlsCredentials' : tls;
  const secret = secrets.get(tlsCredentials);
  if (!secret) return noSecret(tlsCredentials, 'ca.crt');
  const authority = secret['ca.crt'];
  if (authority === undefined && mode === undefined)
    return `the Secret ${tlsCredentials} has no ca.crt to verify the server with; add it, or set tls to "true" for the system's authorities`;
  const wrong = authority === undefined ? undefined : wrongCertificate(tlsCredentials, 'ca.crt', authority);
  if (wrong !== undefined) return wrong;
  const own = useClientCert ? ownCertificate(tlsCredentials, secret) : {};
  return typeof own === 'string' ? own : { ...tls, ...(authority !== undefined && { authority }), ...own };
}

/** A certificate and the key that belongs to it. */
function ownCertificate(name: string, secret: Spec<'Secret'>): { certificate: string; key: string } | string {
  const { 'tls.crt': certificate, 'tls.key': key } = secret;
  if (certificate === undefined || key === undefined)
    return `the Secret ${name} has no ${certificate === undefined ? 'tls.crt' : 'tls.key'}; add it`;
  const wrong = wrongCertificate(name, 'tls.crt', certificate);
  if (wrong !== undefined) return wrong;
  const read = readKey(key);
  if (!read) return `tls.key of the Secret ${name} cannot be read; it must be a key in PEM without a passphrase`;
  if (!new X509Certificate(certificate).checkPrivateKey(read))
    return `tls.key of the Secret ${name} does not belong to its tls.crt; take both from one pair`;
  try {
    createSecureContext({ cert: certificate, key, ca: secret['ca.crt'] });
    return { certificate, key };
  } catch (error) {
    const { reason = (error as Error).message } = error as { reason?: string };
    return `tls.crt of the Secret ${name} is refused by OpenSSL (${reason}); have a new one made`;
  }
}

function readKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

function wrongCertificate(name: string, key: SecretKey, pem: string): string | undefined {
  try {
    void new X509Certificate(pem);
    return undefined;
  } catch {
    return `${key} of the Secret ${name} is no certificate; write it in PEM`;
  }
}

function noSecret(name: string, keys: string): string {
  return `there is no Secret named ${name}; add one with ${keys}`;
}
