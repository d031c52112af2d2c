/** Servers and clients that fail at random: every request ends, every answer is whole or seen to be cut off, and nothing stays behind. */
import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import type { Socket } from 'node:net';
import { it } from 'node:test';
import { TestServer } from '../../../test/support/tcp.ts';
import { until } from '../../../test/support/until.ts';
import { Random } from '../../../test/simulation/random.ts';
import { openHttp2Listener } from '../http2/http2-listener.ts';
import type { OpenListener } from '../listener.ts';
import { openHttpListener } from './http-listener.ts';
import { TcpWay } from './http.testkit.ts';

const WORKERS = 8;
const REQUESTS = 60;
const BODY = 'x'.repeat(5000);

/** Whoever speaks HTTP/1.1 to clients and servers. */
const LISTENERS: [type: string, open: OpenListener][] = [
  ['http', openHttpListener],
  ['http2', openHttp2Listener],
];

for (const [type, open] of LISTENERS)
  for (const seed of [1, 2, 3])
    it(`unlucky requests at a listener of type ${type} all end (seed ${seed})`, async () => {
      const random = new Random(seed);
      const servers = await Promise.all(['west', 'east', 'north'].map(() => TestServer.start((socket) => serve(socket, random))));
      const way = new TcpWay(...servers.map(({ port }, at) => ({ site: `site-${at}`, port })));
      const listener = await open('127.0.0.1', 0, way);
      const agent = new Agent({ keepAlive: true, maxSockets: WORKERS });
      const outcomes = new Map<string, number>();
      const work = async () => {
        for (let left = REQUESTS; left > 0; left--) {
          const outcome = await ask(listener.port, agent, random);
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        }
      };
      await Promise.all(Array.from({ length: WORKERS }, work));
      agent.destroy();
      await until('all servers to be done', () => way.given === way.done);
      assert.equal(way.doneTwice, false);
      await until('all clients to be gone', () => way.clients === 0);
      listener.close();
      for (const server of servers) {
        await until('all connections to be gone', () => [...server.sockets].every(({ readableEnded }) => readableEnded));
        await server.stop();
      }
      // Nothing else can happen; and most is well.
      const known = new Set(['200 whole', '502 whole', 'cut off', 'given up']);
      assert.deepEqual(
        [...outcomes.keys()].filter((outcome) => !known.has(outcome)),
        [],
      );
      assert.ok(outcomes.get('200 whole')! > (WORKERS * REQUESTS) / 2, JSON.stringify([...outcomes]));
    });

/** Answers each request with `BODY`, mostly. A request's body ends with `z.`. */
function serve(socket: Socket, random: Random): void {
  let asked = '';
  socket.on('end', () => socket.end());
  socket.on('data', (chunk) => {
    asked += chunk.toString('latin1');
    // It was asked whether it speaks HTTP/2.
    if (asked.startsWith('PRI')) socket.destroy();
    if (!asked.includes('z.')) return;
    asked = '';
    const luck = random.next();
    if (luck < 0.05) socket.destroy();
    else if (luck < 0.1)
      socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY.slice(random.integer(1, 4000))}`);
    else if (luck < 0.13) socket.write('HTTP/1.1 200 OK\nnonsense\n\n');
    else if (luck < 0.2) socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`);
    else if (luck < 0.6) {
      const half = random.integer(1, BODY.length - 1);
      const chunks = [BODY.slice(0, half), BODY.slice(half)].map((data) => `${data.length.toString(16)}\r\n${data}\r\n`);
      socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks[0]}`);
      setImmediate(() => socket.write(`${chunks[1]}0\r\n\r\n`));
    } else socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`);
  });
}

function ask(port: number, agent: Agent, random: Random): Promise<string> {
  return new Promise((resolve) => {
    const asked = request({ port, agent, method: random.chance(0.5) ? 'PUT' : 'POST' });
    asked.once('error', () => resolve('cut off'));
    asked.once('response', (answer) => {
      let body = '';
      answer.setEncoding('latin1').on('data', (piece: string) => (body += piece));
      answer.once('error', () => resolve('cut off'));
      answer.once('end', () => {
        const isWhole = answer.statusCode === 200 ? body === BODY : body.endsWith('\n');
        resolve(`${answer.statusCode} ${isWhole ? 'whole' : `broken ${body.length}`}`);
      });
    });
    asked.write('y'.repeat(random.integer(1, 2000)));
    if (random.chance(0.05)) {
      resolve('given up');
      setImmediate(() => asked.destroy());
    } else asked.end('z.');
  });
}
