import assert from 'node:assert/strict';
import { createServer, type RequestListener, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { dial } from '../../../test/support/tcp.ts';
import { until } from '../../../test/support/until.ts';
import { StreamError } from '../../link/reason.ts';
import type { ProtocolListener } from '../listener.ts';
import { httpListener } from './http-listener.ts';
import { TcpWay } from './http.testkit.ts';
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

async function listen(kind: 'event' | 'json' | 'multipart', limits: Partial<HttpLimits> = {}): Promise<void> {
  way.fanOutAs = kind;
  listener = await httpListener(limits)('127.0.0.1', 0, way);
  ends.push(() => listener.close());
}

async function serve(site: string, answer: RequestListener): Promise<void> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  way.servers.push({ site, port: (server.address() as AddressInfo).port });
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
}

const lost = { site: 'lost', port: 1, refuses: new StreamError({ code: 'link-lost', message: 'the link was lost' }) };

interface Answer {
  status: number;
  type: string | undefined;
  body: string;
}

function ask(body = '', options: Parameters<typeof request>[1] = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ port: listener.port, method: 'POST', ...options });
    asked.once('error', reject);
    asked.once('response', (answer) => {
      let said = '';
      answer.setEncoding('utf8').on('data', (piece: string) => (said += piece));
      answer.once('end', () => resolve({ status: answer.statusCode!, type: answer.headers['content-type'], body: said }));
    });
    asked.end(body);
  });
}

describe('a request to all servers, as an event', () => {
  it('reaches each with its body, and is answered before they answer', async () => {
    const got: string[] = [];
    const held: (() => void)[] = [];
    for (const site of ['west', 'east'])
      await serve(site, (asked, answer) => {
        let body = '';
        asked.on('data', (piece) => (body += String(piece)));
        asked.once('end', () => {
          got.push(`${site} ${body}`);
          held.push(() => answer.end('thanks'));
        });
      });
    await listen('event');
    assert.deepEqual(await ask('news'), { status: 202, type: undefined, body: '' });
    await until('both', () => got.length === 2);
    assert.deepEqual(got.sort(), ['east news', 'west news']);
    assert.equal(way.done, 0, 'they are busy until they have answered');
    for (const answer of held) answer();
  });

  it('is accepted where one of them cannot be had, and not where none can', async () => {
    await serve('west', (_, answer) => answer.end());
    way.servers.push(lost);
    await listen('event');
    assert.equal((await ask('news')).status, 202);
    way.servers.shift();
    const { status, body } = await ask('news');
    assert.deepEqual([status, body], [503, 'backend: lost did not answer: the link was lost\n']);
  });

  it('is refused where there are none', async () => {
    await listen('event');
    assert.deepEqual(await ask('news'), {
      status: 503,
      type: 'text/plain; charset=utf-8',
      body: 'backend: no server is there\n',
    });
  });

  it('lets go of a server that takes it and never answers', async () => {
    await serve('deaf', () => {});
    await listen('event', { fanOutWithinMs: 300 });
    assert.equal((await ask('news')).status, 202);
    await until('the server to be done', () => way.given > 0 && way.given === way.done);
  });

  it('may have so many bytes', async () => {
    let count = 0;
    await serve('west', (_, answer) => {
      count++;
      answer.end();
    });
    await listen('event', { fanOutRequestBytes: 1000 });
    assert.equal((await ask('x'.repeat(1000))).status, 202);
    assert.equal((await ask('x'.repeat(1001))).status, 413);
    assert.equal((await ask('x'.repeat(1001), { headers: { 'Transfer-Encoding': 'chunked' } })).status, 413);
    assert.equal(count, 1);
  });

  it('is told to go on by this proxy', async () => {
    await serve('west', (asked, answer) => {
      assert.equal(asked.headers.expect, undefined);
      answer.end();
    });
    await listen('event');
    assert.equal((await ask('news', { headers: { Expect: '100-continue' } })).status, 202);
  });
});

describe('a request to all servers, as JSON', () => {
  it('is answered with all answers in the order of the servers, exactly as they are', async () => {
    await serve('west', (_, answer) => setImmediate(() => answer.end('{"n": 12345678901234567890}')));
    await serve('east', (asked, answer) => {
      assert.equal(asked.headers['accept-encoding'], 'identity');
      answer.end('[true]');
    });
    await listen('json');
    const { status, type, body } = await ask('', { headers: { 'Accept-Encoding': 'gzip' } });
    assert.deepEqual([status, type, body], [200, 'application/json', '[{"n": 12345678901234567890},[true]]']);
  });

  it('names those that failed, and why', async () => {
    await serve('west', (_, answer) => answer.end('1'));
    way.servers.push(lost);
    await serve('text', (_, answer) => answer.end('no JSON'));
    await serve('busy', (_, answer) => answer.writeHead(503).end('{}'));
    await serve('broken', ({ socket }) => socket.destroy());
    await serve('silent', () => {});
    await serve('large', (_, answer) => answer.end('x'.repeat(2000)));
    await listen('json', { fanOutWithinMs: 300, fanOutAnswerBytes: 1000 });
    assert.deepEqual(JSON.parse((await ask()).body), [
      1,
      { error: 'lost did not answer: the link was lost', site: 'lost' },
      { error: 'text answered something that is not JSON', site: 'text' },
      { error: 'busy did not answer: it answered with the status 503', site: 'busy' },
      { error: 'broken did not answer: it closed the connection', site: 'broken' },
      { error: 'silent did not answer: there was no answer (0.3 s)', site: 'silent' },
      { error: 'large did not answer: its answer has more than 1000 bytes', site: 'large' },
    ]);
  });

  it('has only so much of all answers together', async () => {
    for (const site of ['west', 'east']) await serve(site, (_, answer) => answer.end(`"${'x'.repeat(700)}"`));
    await listen('json', { fanOutBytes: 1000 });
    const answers = JSON.parse((await ask()).body) as unknown[];
    const errors = answers.filter((answer) => typeof answer === 'object');
    assert.equal(errors.length, 1);
    assert.match(JSON.stringify(errors[0]), /all answers together are too large/);
  });

  it('shares what answers may have with other requests, until its client has its own', async () => {
    let finish: (() => void) | undefined;
    const answered = `"${'x'.repeat(698)}"`;
    await serve('west', ({ url }, answer) => {
      answer.write(answered);
      if (url === '/held') finish = () => answer.end();
      else answer.end();
    });
    await listen('json', { fanOutBytes: 1000 });
    const first = ask('', { path: '/held' });
    await until('its answer to begin', () => finish && way.streams[0]!.bytesRead > 700);
    assert.match((await ask()).body, /all answers together are too large/);
    finish!();
    assert.equal((await first).body, `[${answered}]`);
    assert.equal((await ask()).body, `[${answered}]`);
  });

  it('holds its share of that while its client does not read, and is whole when it does', async () => {
    const answered = `"${'x'.repeat(8 * 1024 * 1024 - 2)}"`;
    for (const site of ['west', 'east']) await serve(site, (_, answer) => answer.end(answered));
    await listen('json', { fanOutBytes: 20 * 1024 * 1024 });
    const isWhole = async (): Promise<boolean> => (await ask()).body === `[${answered},${answered}]`;
    assert.equal(await isWhole(), true);
    const socket = dial(listener.port);
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until('both answers', () => way.done === 4);
    assert.equal(await isWhole(), false);
    socket.destroy();
    await until('its share', isWhole);
  });

  it('goes over a new connection where a kept one has ended', async () => {
    let count = 0;
    await serve('west', ({ socket }, answer) => {
      if (++count === 2) socket.destroy();
      else answer.end(String(count));
    });
    await listen('json');
    assert.equal((await ask('', { method: 'GET' })).body, '[1]');
    assert.equal((await ask('', { method: 'GET' })).body, '[3]');
    assert.equal(way.connects, 2);
  });

  it('is taken back from all when the client goes', async () => {
    let open = 0;
    for (const site of ['west', 'east'])
      await serve(site, ({ socket }) => {
        open++;
        socket.once('close', () => open--);
      });
    await listen('json');
    const asked = request({ port: listener.port });
    asked.on('error', () => {});
    asked.end();
    await until('both', () => open === 2);
    asked.destroy();
    await until('neither', () => open === 0);
  });
});

it('a request to all servers, as multipart, is answered with all answers in their own types', async () => {
  await serve('west', (_, answer) => answer.writeHead(200, { 'Content-Type': 'text/html' }).end('<p>'));
  way.servers.push(lost);
  await serve('east', (_, answer) => answer.end(Buffer.of(0, 13, 10, 45)));
  await listen('multipart');
  const { type, body } = await ask();
  const boundary = /^multipart\/mixed; boundary="(.+)"$/.exec(type!)![1]!;
  const parts = [
    'Content-Type: text/html\r\n\r\n<p>',
    'Content-Type: text/plain; charset=utf-8\r\n\r\nlost did not answer: the link was lost\n',
    'Content-Type: application/octet-stream\r\n\r\n\0\r\n-',
  ];
  assert.equal(body, `${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')}--${boundary}--\r\n`);
});
