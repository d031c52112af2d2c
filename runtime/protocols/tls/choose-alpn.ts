import { isAlpnName } from '../client-info.ts';
import { ANY_ALPN } from './server-tls.ts';

/** Which of a client's protocols is taken; undefined where none is, which ends the handshake (RFC 7301, section 3.2). */
export function chooseAlpn(wanted: readonly string[], offered: readonly string[]): string | undefined {
  for (const each of wanted) {
    // What is no name is there to keep servers flexible (RFC 8701).
    const chosen = offered.find(each === ANY_ALPN ? isAlpnName : (name) => name === each);
    if (chosen !== undefined) return chosen;
  }
  return undefined;
}
