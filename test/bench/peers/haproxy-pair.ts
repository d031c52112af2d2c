import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Protocol } from '../../../runtime/api/vocabulary.ts';
import { commandPath, whyWithout } from '../commands.ts';
import { freePort } from '../ports.ts';
import { Program } from '../program.ts';
import { pairCertificates } from './pair-certificates.ts';
import { NO_DATAGRAMS, type Peer } from './peer.ts';

/** Words of HAProxy's configuration for a protocol: on a plain port, and where TLS is between the two. */
const WAYS: Partial<Record<Protocol, { mode: 'tcp' | 'http'; plain: string; tls: string }>> = {
  tcp: { mode: 'tcp', plain: '', tls: '' },
  amqp: { mode: 'tcp', plain: '', tls: '' },
  http: { mode: 'http', plain: '', tls: '' },
  http2: { mode: 'http', plain: 'proto h2', tls: 'alpn h2' },
};

/** HAProxy on both ends, mutual TLS 1.3 between them, as many threads as there are cores: C at its best. */
export const haproxyPair: Peer = {
  name: 'haproxy',
  title: 'HAProxy pair',
  whyNot: (protocol) => whyWithout('haproxy') ?? (WAYS[protocol] ? undefined : NO_DATAGRAMS),
  start: async ({ port, protocol, between }, scope) => {
    const { mode, plain, tls } = WAYS[protocol]!;
    const { folder, authority, server, client } = await pairCertificates(scope);
    const start = async (name: string, bind: string, to: string) => {
      const own = await freePort();
      const file = join(folder, `${name}.cfg`);
      await writeFile(
        file,
        `global
  maxconn 4000
defaults
  mode ${mode}
  timeout connect 10s
  timeout client 5m
  timeout server 5m
listen ${name}
  bind 127.0.0.1:${own} ${bind}
  server next 127.0.0.1:${to}
`,
      );
      await scope.use(new Program(commandPath('haproxy'), ['-db', '-f', file])).opens(own);
      return own;
    };
    const mutual = `ca-file ${authority} verify required ssl-min-ver TLSv1.3 ${tls}`;
    const far = await start('far', `ssl crt ${server} ${mutual}`, `${port} ${plain}`);
    const way = (await between?.(far)) ?? far;
    return start('near', plain, `${way} ssl crt ${client} ${mutual}`);
  },
};
