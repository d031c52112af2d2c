/** The sample application's face: a page with the orders that the backend gives, and a way to place one. */
import { type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { sentence } from '../../errors.ts';
import type { Order } from './backend.ts';
import type { Place } from './orders-client.ts';
import { page } from './page.ts';
import { type Part, startHttpPart } from './part.ts';

/** How long the backend may take. Milliseconds. */
const LIMIT_MS = 6000;

export async function startFrontend(wantedPort: number, backend: Place): Promise<Part> {
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const send = (status: number, html: string) =>
      response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' }).end(html);
    const path = request.url?.split('?')[0];
    try {
      if (path === '/orders' && request.method === 'POST') {
        const item = new URLSearchParams((await text(request)).slice(0, 1000)).get('item') ?? '';
        await ask(backend, item || 'coffee');
        return response.writeHead(303, { location: '/' }).end();
      }
      if (path !== '/') return send(404, page({ message: 'There is nothing here. The orders are at /.' }));
      const started = performance.now();
      const { orders } = JSON.parse(await ask(backend)) as { orders: Order[] };
      return send(200, page({ orders, milliseconds: performance.now() - started }));
    } catch (error) {
      return send(502, page({ message: `The backend does not answer: ${sentence(error)}` }));
    }
  };
  return await startHttpPart(wantedPort, answer);
}

/** GET, or POST where there is something to order. Resolves to the body of an answer of 2xx. */
function ask({ host, port }: Place, item?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const method = item === undefined ? 'GET' : 'POST';
    const options = { host, port, method, path: '/orders', agent: false, signal: AbortSignal.timeout(LIMIT_MS) };
    const request = httpRequest(options, (response) => {
      text(response).then((body) => {
        if ((response.statusCode ?? 500) < 300) resolve(body);
        else reject(new Error((JSON.parse(body) as { message: string }).message));
      }, reject);
    });
    request.on('error', reject).end(item);
  });
}
