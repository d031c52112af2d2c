/**
 * The sample application's database: orders over TCP, a line each. The server speaks first, as many databases do, which a
 * network that waits for the client's first byte would break.
 *
 *     < READY orders
 *     > ADD coffee          < OK 3
 *     > LIST                < 3 coffee 2026-01-01T12:00:00.000Z   (one line an order)   < .
 */
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { listenNear, type Part } from './part.ts';

/** Older orders are forgotten. */
const MAX_ORDERS = 50;
const MAX_ITEM_CHARACTERS = 60;

export async function startOrders(wantedPort: number): Promise<Part> {
  let next = 1;
  const orders: string[] = [];
  const add = (item: string) => orders.push(`${next} ${item} ${new Date().toISOString()}`) && next++;
  for (const item of ['espresso', 'flat_white']) add(item);

  const answer = (line: string): string => {
    const [command = '', item = ''] = line.split(' ');
    if (command === 'LIST') return [...orders, '.'].join('\n');
    if (command !== 'ADD' || !/^[\w-]+$/.test(item) || item.length > MAX_ITEM_CHARACTERS)
      return 'ERROR use LIST, or ADD with one word';
    const number = add(item);
    if (orders.length > MAX_ORDERS) orders.shift();
    return `OK ${number}`;
  };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
    socket.write('READY orders\n');
    const reader = createInterface({ input: socket, crlfDelay: Infinity });
    reader.on('error', () => {}); // it repeats the socket's
    reader.on('line', (line) => {
      if (socket.writable) socket.write(`${answer(line.trim())}\n`);
    });
  });
  const port = await listenNear(server, wantedPort);
  return {
    port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
