// A UDP server that confirms what arrives: after every so many datagrams of a client it says how many there were. Prints its port.
import { createSocket } from 'node:dgram';
import { CONFIRM_EVERY } from './udp-window.ts';

const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
const clients = new Map<string, number>();
socket.on('message', (_, { address, port }) => {
  const client = `${address}:${port}`;
  const count = (clients.get(client) ?? 0) + 1;
  clients.set(client, count);
  if (count % CONFIRM_EVERY !== 0) return;
  const confirmation = Buffer.alloc(4);
  confirmation.writeUInt32BE(count);
  socket.send(confirmation, port, address);
});
socket.bind(0, '127.0.0.1', () => console.log(socket.address().port));
