import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { commandPath, whyWithout } from '../commands.ts';
import { freePort } from '../ports.ts';
import { Program } from '../program.ts';
import { pairCertificates } from './pair-certificates.ts';
import { CARRIES_BYTES, NO_DATAGRAMS, type Peer } from './peer.ts';

/** stunnel on both ends, mutual TLS 1.3 between them: one TLS connection for each client's. */
export const stunnelPair: Peer = {
  name: 'stunnel',
  title: 'stunnel pair',
  whyNot: (protocol) => {
    if (protocol === 'udp') return NO_DATAGRAMS;
    return protocol === 'tcp' || protocol === 'amqp' ? whyWithout('stunnel4') : CARRIES_BYTES;
  },
  start: async ({ port, between }, scope) => {
    const { folder, authority, server, client } = await pairCertificates(scope);
    const start = async (name: 'far' | 'near', certificate: string, to: number) => {
      const own = await freePort();
      const file = join(folder, `${name}.conf`);
      await writeFile(
        file,
        `foreground = yes
pid =
debug = err
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
[${name}]
client = ${name === 'near' ? 'yes' : 'no'}
accept = 127.0.0.1:${own}
connect = 127.0.0.1:${to}
cert = ${certificate}
CAfile = ${authority}
verifyChain = yes
sslVersionMin = TLSv1.3
`,
      );
      await scope.use(new Program(commandPath('stunnel4'), [file])).opens(own);
      return own;
    };
    const far = await start('far', server, port);
    return start('near', client, (await between?.(far)) ?? far);
  },
};
