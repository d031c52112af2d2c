import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect, TLSSocket } from 'node:tls';
import { secretOf, TestAuthority } from '../../support/certificates.ts';
import { dial, TestServer } from '../../support/tcp.ts';
import type { Addition, Side, Streams } from './protocol.ts';
import { read, streamProtocol } from './stream-protocol.ts';
import { refusesConnections } from './tcp.ts';

const MIB = 1024 * 1024;
const NAME = 'localhost';

const authority = await TestAuthority.make();
const own = await authority.issue([NAME, '127.0.0.1']);

/** Clients speak TLS to the listener. */
export const tlsListener: Addition = { spec: { tlsCredentials: 'own' }, secrets: [secretOf('own', own)] };
/** The connector speaks TLS to servers. */
export const tlsConnector: Addition = {
  spec: { tlsCredentials: 'trust' },
  secrets: [secretOf('trust', {}, authority.certificate)],
};

const streams: Streams = {
  start: (serve) =>
    TestServer.start((socket) => {
      const end = new TLSSocket(socket, { isServer: true, cert: own.certificate, key: own.key });
      end.on('error', () => {});
      end.once('secure', () => serve(sideOf(end, socket)));
    }),
  open: async ({ port }) => {
    const socket = dial(port);
    const end = connect({ socket, ca: authority.certificate, servername: NAME });
    await once(end, 'secureConnect');
    end.on('error', () => {});
    return sideOf(end, socket);
  },
};

/** TLS from the client to the listener, and from the connector to the server. */
export const tcpOverTls = streamProtocol({
  name: 'tcp over TLS',
  type: 'tcp',
  omits: {},
  listener: tlsListener,
  connector: tlsConnector,
  streams,
  isShut: refusesConnections,
  // While a client sends, Node may take a reset for an end.
  failure: async (door) => read((await streams.open(door)).input).catch(String),
  learns: { refused: /ECONNRESET/, unreachable: /ECONNRESET/, hanging: /ECONNRESET/ },
  bytesInFlight: 32 * MIB,
});

function sideOf(end: TLSSocket, carrier: Socket): Side {
  const reset = (): void => {
    carrier.resetAndDestroy();
    end.destroy();
  };
  return { input: end, output: end, reset };
}
