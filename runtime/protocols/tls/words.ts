/** What TLS says, in words for people. Codes are those of Node and OpenSSL. */

/** OpenSSL's words for a certificate that none of the given authorities signed. */
const NOT_SIGNED = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
]);
const NOT_TLS =
  /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|HTTPS_PROXY_REQUEST|UNEXPECTED_MESSAGE|RECORD_TOO_SMALL/;
const OLD_TLS = /UNSUPPORTED_PROTOCOL|ALERT_PROTOCOL_VERSION|VERSION_TOO_LOW/;
/** What a server answers to a client whose certificate is missing or wrong (RFC 8446, section 6.2). */
const CERTIFICATE_ALERT = /ALERT_(CERTIFICATE_|BAD_CERTIFICATE|UNKNOWN_CA|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED)/;
const MAX_NAMES_LENGTH = 100;

/** What is wrong with a certificate; undefined where the code says nothing of one. Completes "shows a certificate". */
function whatIsWrongWithCertificate(code: string, authority: string): string | undefined {
  if (NOT_SIGNED.has(code)) return `that ${authority} did not sign`;
  if (code === 'CERT_HAS_EXPIRED') return 'that has expired';
  if (code === 'CERT_NOT_YET_VALID') return 'that is not valid yet';
  if (code === 'INVALID_PURPOSE') return 'that is not for this use';
  if (code.startsWith('CERT_') || code.includes('_CERT_') || code === 'INVALID_CA')
    return `that cannot be verified (${code.toLowerCase().replaceAll('_', ' ')})`;
  return undefined;
}

/** Why TLS with a client failed; undefined where it merely went away. */
export function whyClientFailed(
  error: NodeJS.ErrnoException,
  authorizationError: NodeJS.ErrnoException | string | null,
): string | undefined {
  const code = codeOf(authorizationError) ?? error.code ?? '';
  const wrong = whatIsWrongWithCertificate(code, "ca.crt of the listener's Secret");
  if (wrong !== undefined) return `it shows a certificate ${wrong}`;
  if (code.includes('DID_NOT_RETURN_A_CERTIFICATE')) return 'it shows no certificate';
  if (NOT_TLS.test(code)) return 'it does not speak TLS';
  if (OLD_TLS.test(code)) return 'it speaks no TLS from version 1.2 on';
  if (code.includes('NO_APPLICATION_PROTOCOL')) return 'it speaks none of the protocols that are taken here (ALPN)';
  if (CERTIFICATE_ALERT.test(code)) return 'it does not accept the certificate of this listener';
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return 'it did not end its handshake in time';
  return code.startsWith('ERR_SSL_') ? sslReason(error) : undefined;
}

export interface TlsServerView {
  /** For people: `db:5432`, or a pod's name. */
  target: string;
  serverName: string | undefined;
  /** Who should have signed: completes "that … did not sign". */
  authority: string;
  alpn: readonly string[];
}

/** Why TLS with a server failed, before its handshake ended or after. One sentence without its end. */
export function whyServerFailed(error: NodeJS.ErrnoException, { target, serverName, authority, alpn }: TlsServerView): string {
  const code = error.code ?? '';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `${target} shows a certificate for ${namesOf(error)}, not for ${serverName}`;
  const wrong = whatIsWrongWithCertificate(code, authority);
  if (wrong !== undefined) return `${target} shows a certificate ${wrong}`;
  if (code.includes('ALERT_CERTIFICATE_REQUIRED')) return `${target} wants a client certificate`;
  if (CERTIFICATE_ALERT.test(code)) return `${target} does not accept the client certificate of its connector`;
  if (code.includes('ALERT_HANDSHAKE_FAILURE'))
    return `${target} refused the TLS handshake: it wants a client certificate, or shares no cipher with this router`;
  if (code.includes('NO_APPLICATION_PROTOCOL')) return `${target} does not take ${alpn.join(' or ')} (ALPN)`;
  if (NOT_TLS.test(code)) return `${target} does not speak TLS`;
  if (OLD_TLS.test(code)) return `${target} speaks no TLS from version 1.2 on`;
  if (code === 'ECONNRESET') return `${target} ended the connection in the TLS handshake`;
  return `TLS with ${target} failed: ${code.startsWith('ERR_SSL_') ? sslReason(error) : error.message}`;
}

/** Whether an error of a connection that was up is TLS' own, such as an alert that comes late in TLS 1.3. */
export function isTlsError({ code }: NodeJS.ErrnoException): boolean {
  return code?.startsWith('ERR_SSL_') ?? false;
}

/** `db.example, *.db.example`: of the server's certificate, as Node gives it with its error. */
function namesOf(error: Error): string {
  const { cert } = error as { cert?: { subjectaltname?: string; subject?: { CN?: string | string[] } } };
  const names = cert?.subjectaltname?.replaceAll(/(DNS|IP Address):/g, '') ?? String(cert?.subject?.CN ?? 'no name');
  return names.length > MAX_NAMES_LENGTH ? `${names.slice(0, MAX_NAMES_LENGTH)}…` : names;
}

/** OpenSSL's reason without its place in the source: `no shared cipher`. */
function sslReason(error: Error): string {
  return (error as { reason?: string }).reason ?? error.message;
}

function codeOf(error: NodeJS.ErrnoException | string | null): string | undefined {
  return typeof error === 'string' ? error : error?.code;
}
