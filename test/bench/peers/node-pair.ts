import { Program } from '../program.ts';
import { pairCertificates } from './pair-certificates.ts';
import { CARRIES_BYTES, type Peer } from './peer.ts';

/**
 * Two programs of Node that do nothing but copy: bytes with mutual TLS 1.3 between them, a connection for each client's, and datagrams
 * plainly. What a row costs in Node before anything is routed.
 */
export const nodePair: Peer = {
  name: 'node',
  title: 'Node pair',
  whyNot: (protocol) => (protocol === 'http' || protocol === 'http2' ? CARRIES_BYTES : undefined),
  start: async ({ port, protocol, between }, scope) => {
    const start = (program: string, ...args: (string | number)[]) => scope.use(Program.own(program, ...args)).printsPort();
    if (protocol === 'udp') return start('udp-half', await start('udp-half', port));
    const { authority, server, client } = await pairCertificates(scope);
    const far = await start('tls-half', 'far', port, server, authority);
    return start('tls-half', 'near', (await between?.(far)) ?? far, client, authority);
  },
};
