import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, request, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { until } from '../../../test/support/until.ts';
import { StreamError } from '../../link/reason.ts';
import type { ProtocolListener } from '../listener.ts';
import { httpListener } from './http-listener.ts';
import { type FakeServer, TcpWay } from './http.testkit.ts';
import type { HttpLimits } from './limits.ts';

let way: TcpWay;
let listener: ProtocolListener;
const ends: (() => void)[] = [];

beforeEach(() => {
  way = new TcpWay();
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) end();
  await until('all servers to be done', () => way.given === way.done);
  assert.equal(way.doneTwice, false);
});

async function listen(limits: Partial<HttpLimits> = {}): Promise<void> {
  listener = await httpListener(limits)('127.0.0.1', 0, way);
  ends.push(() => listener.close());
}

async function serve(among: FakeServer[], site: string, answer: RequestListener): Promise<void> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  among.push({ site, port: (server.address() as AddressInfo).port });
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
}

/** One who listens in, and what it heard: `POST /orders body`. */
async function listenIn(answers = true): Promise<{ heard: string[]; heads: IncomingMessage[] }> {
  const seen = { heard: [] as string[], heads: [] as IncomingMessage[] };
  await serve(way.listening, 'laptop', (asked, answer) => {
    let body = '';
    asked.on('data', (piece) => (body += String(piece)));
    asked.once('end', () => {
      seen.heads.push(asked);
      seen.heard.push(`${asked.method} ${asked.url} ${body}`);
      if (answers) answer.writeHead(500).end('from the laptop');
    });
  });
  return seen;
}

function ask(path: string, body = '', method = 'POST'): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ port: listener.port, method, path, headers: { 'Accept-Encoding': 'gzip' } });
    asked.once('error', reject);
    asked.once('response', (answer) => {
      let said = '';
      answer.setEncoding('utf8').on('data', (piece: string) => (said += piece));
      answer.once('end', () => resolve(`${answer.statusCode} ${said}`));
    });
    asked.end(body);
  });
}

const echo: RequestListener = (asked, answer) => void asked.pipe(answer);

describe('who listens in', () => {
  it('gets a copy of each request, and its answers are dropped', async () => {
    await serve(way.servers, 'west', echo);
    const { heard, heads } = await listenIn();
    await listen();
    assert.equal(await ask('/orders', 'one'), '200 one');
    assert.equal(await ask('/orders/1', '', 'GET'), '200 ');
    await until('both copies', () => heard.length === 2);
    assert.deepEqual(heard.sort(), ['GET /orders/1 ', 'POST /orders one']);
    assert.equal(heads[0]!.headers['accept-encoding'], 'gzip', 'the copy asks for what the request asks for');
    assert.match(heads[0]!.headers['x-forwarded-for'] as string, /127\.0\.0\.1/);
  });

  it('holds nobody up where it does not answer', async () => {
    await serve(way.servers, 'west', echo);
    const { heard } = await listenIn(false);
    await listen({ fanOutWithinMs: 100 });
    for (const body of ['one', 'two', 'three']) assert.equal(await ask('/', body), `200 ${body}`);
    await until('the copies', () => heard.length === 3);
  });

  it('is missed by nobody where it cannot be reached', async () => {
    await serve(way.servers, 'west', echo);
    way.listening.push({ site: 'laptop', port: 1, refuses: new StreamError({ code: 'refused', message: 'nothing is there' }) });
    await listen();
    assert.equal(await ask('/', 'one'), '200 one');
  });

  it('gets no copy of what is too large, or of more at once than there may be', async () => {
    await serve(way.servers, 'west', echo);
    const { heard } = await listenIn(false);
    await listen({ copyBytes: 10, copies: 1 });
    assert.equal(await ask('/', 'x'.repeat(11)), `200 ${'x'.repeat(11)}`);
    assert.equal(await ask('/', 'x'.repeat(10)), `200 ${'x'.repeat(10)}`);
    await until('a copy', () => heard.length === 1);
    assert.equal(await ask('/', 'again'), '200 again');
    assert.deepEqual(heard, [`POST / ${'x'.repeat(10)}`]);
  });

  it('gets no copies of more requests at once, though their ends have not come', async () => {
    await serve(way.servers, 'west', echo);
    const { heard } = await listenIn();
    await listen({ copies: 1 });
    const slow = request({ port: listener.port, method: 'POST', path: '/slow' });
    const answered = new Promise((resolve) => slow.once('response', (answer) => answer.resume().once('end', resolve)));
    slow.write('x');
    await until('it to be passed on', () => way.given > 1);
    assert.equal(await ask('/', 'meanwhile'), '200 meanwhile');
    slow.end();
    await answered;
    await until('the copy', () => heard.length === 1);
    assert.deepEqual(heard, ['POST /slow x']);
    assert.equal(await ask('/', 'after'), '200 after');
    await until('the next copy', () => heard.length === 2);
  });

  it('gets no copy of a request that broke off', async () => {
    await serve(way.servers, 'west', echo);
    const { heard } = await listenIn();
    await listen();
    const broken = request({ port: listener.port, method: 'POST', path: '/', headers: { 'Content-Length': 10 } });
    broken.on('error', () => {});
    broken.write('x');
    await until('it to be passed on', () => way.given > 1);
    broken.destroy();
    assert.equal(await ask('/', 'whole'), '200 whole');
    await until('a copy', () => heard.length === 1);
    assert.deepEqual(heard, ['POST / whole']);
  });
});
