/** The sample application's service: HTTP in front, the database behind, which it reaches through its site's listener. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { sentence } from '../../errors.ts';
import { askOrders, type Place } from './orders-client.ts';
import { type Part, startHttpPart } from './part.ts';

export interface Order {
  number: number;
  item: string;
  time: string;
}

export async function startBackend(wantedPort: number, orders: Place): Promise<Part> {
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const send = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
    try {
      if (request.url !== '/orders') return send(404, { message: 'There is only /orders here.' });
      if (request.method !== 'POST') return send(200, { orders: (await askOrders(orders, 'LIST')).map(toOrder) });
      const item = (await text(request)).slice(0, 60).trim().replaceAll(/\s+/g, '_');
      const [line = ''] = await askOrders(orders, `ADD ${item}`);
      return line.startsWith('OK ')
        ? send(201, { number: Number(line.slice(3)) })
        : send(400, { message: 'An order is one word.' });
    } catch (error) {
      return send(502, { message: sentence(error) });
    }
  };
  return await startHttpPart(wantedPort, answer);
}

function toOrder(line: string): Order {
  const [number, item = '', time = ''] = line.split(' ');
  return { number: Number(number), item: item.replaceAll('_', ' '), time };
}
