import { type AddressInfo, BlockList, createServer, isIP } from 'node:net';
import type { ProtocolListener, Way } from '../listener.ts';
import type { Client } from './client.ts';
import type { AmqpHub } from './hub.ts';

/**
 * A socket that listens for clients of AMQP 1.0. Where the way has an address they use that one; else any. When it closes, so do its
 * clients' connections, which stay open for as long as they like otherwise.
 */
export function openAmqpListener(host: string, port: number, way: Way, hub: AmqpHub): Promise<ProtocolListener> {
  const options = { address: way.address || undefined, takesPasswords: isLoopback(host) };
  const clients = new Set<Client>();
  const server = createServer({ noDelay: true }, (socket) => {
    way.count(socket);
    const client = hub.serve(socket, options);
    clients.add(client);
    socket.once('close', () => clients.delete(client));
  });
  const close = () => {
    server.close();
    for (const client of clients) client.close();
  };
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', reject);
      resolve({ port: (server.address() as AddressInfo).port, close });
    });
  });
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8);
LOOPBACK.addAddress('::1', 'ipv6');

function isLoopback(host: string): boolean {
  const family = isIP(host);
  return family === 0 ? host === 'localhost' : LOOPBACK.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
