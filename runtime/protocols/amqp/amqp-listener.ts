import { BlockList, isIP, type Socket } from 'node:net';
import { acceptClients } from '../accept-clients.ts';
import type { ProtocolListener, Way } from '../listener.ts';
import type { Client } from './client.ts';
import type { AmqpHub } from './hub.ts';

/**
 * A socket that listens for clients of AMQP 1.0. Where the way has an address they use that one; else any. When it closes, so do its
 * clients' connections, which stay open for as long as they like otherwise.
 */
export function openAmqpListener(host: string, port: number, way: Way, hub: AmqpHub): Promise<ProtocolListener> {
  const clients = new Set<Client>();
  const take = (socket: Socket) => {
    way.count(socket);
    const takesPasswords = way.tls !== undefined || isLoopback(host);
    const client = hub.serve(socket, { address: way.address || undefined, takesPasswords });
    clients.add(client);
    socket.once('close', () => clients.delete(client));
  };
  const opening = acceptClients(host, port, way, take, { halfOpen: false });
  return opening.then((clientsPort) => ({
    port: clientsPort.port,
    close: () => {
      clientsPort.close();
      for (const client of clients) client.close();
    },
  }));
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8);
LOOPBACK.addAddress('::1', 'ipv6');

function isLoopback(host: string): boolean {
  const family = isIP(host);
  return family === 0 ? host === 'localhost' : LOOPBACK.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
