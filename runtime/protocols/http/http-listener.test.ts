import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { dial } from '../../../test/support/tcp.ts';
import { until } from '../../../test/support/until.ts';
import { connections, stageForEach } from './stage.testkit.ts';

const stage = stageForEach();

describe('requests on one connection', () => {
  it('go to the server whose turn it is, over connections that are kept', async () => {
    await stage.listen();
    for (const site of ['west', 'east']) await stage.serve(site, (_, answer) => answer.end(site));
    const answers: string[] = [];
    for (let count = 0; count < 6; count++) answers.push((await stage.ask()).body);
    assert.deepEqual(answers, ['west', 'east', 'west', 'east', 'west', 'east']);
    assert.equal(stage.way.connects, 2);
    assert.equal(stage.way.clients, 1);
  });

  it('are answered in their order when they come all at once', async () => {
    await stage.listen();
    let held: (() => void) | undefined;
    await stage.serve('west', ({ url }, answer) => {
      if (url === '/0') held = () => answer.end('0');
      else answer.end(url!.slice(1));
    });
    await stage.serve('east', ({ url }, answer) => {
      answer.end(url!.slice(1));
    });
    const requests = Array.from({ length: 100 }, (_, at) => `GET /${at} HTTP/1.1\r\nHost: a\r\n\r\n`);
    requests.push('GET /end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const answer = stage.exchange(requests.join(''));
    await until('the first request', () => held);
    held!();
    const bodies = (await answer).split(/HTTP\/1\.1 200 OK\r\n/).map((part) => part.split('\r\n\r\n')[1]?.trim());
    assert.deepEqual(bodies.slice(1), [...Array.from({ length: 100 }, (_, at) => String(at)), 'end']);
  });

  it('tell what they are routed by', async () => {
    await stage.listen();
    await stage.serve('west', (_, answer) => answer.end());
    await stage.ask('/orders/1?all', { headers: { 'X-Canary': ['a', 'b'] } });
    const [traits] = stage.way.traits;
    assert.equal(traits?.path, '/orders/1');
    assert.equal(traits.header('x-canary'), 'a, b');
    assert.equal(traits.header('X-Other'), undefined);
  });
});

describe('a request reaches its server', () => {
  async function seen(bytes: string): Promise<IncomingMessage> {
    await stage.listen();
    const got = new Promise<IncomingMessage>((resolve) => {
      void stage.serve('west', (asked, answer) => {
        resolve(asked);
        answer.end();
      });
    });
    await until('the server', () => stage.way.servers.length > 0);
    await stage.exchange(bytes);
    return got;
  }

  it('without what concerns the client connection only', async () => {
    const { headers, httpVersion } = await seen(
      'GET / HTTP/1.1\r\nHost: a\r\nX-Keep: 1\r\nConnection: close, X-Drop\r\nX-Drop: 1\r\nKeep-Alive: timeout=5\r\n' +
        'Proxy-Connection: keep-alive\r\nTE: trailers, deflate\r\nUpgrade: websocket\r\ntraceparent: 00-1-2-01\r\n\r\n',
    );
    assert.equal(httpVersion, '1.1');
    assert.deepEqual(Object.keys(headers).sort(), [
      'connection',
      'forwarded',
      'host',
      'te',
      'traceparent',
      'via',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-keep',
    ]);
    assert.deepEqual([headers.connection, headers.te, headers['traceparent']], ['TE', 'trailers', '00-1-2-01']);
  });

  it('with who asked for what, where nobody said so before', async () => {
    const { headers } = await seen('GET / HTTP/1.1\r\nHost: a:80\r\nConnection: close\r\n\r\n');
    assert.equal(headers['forwarded'], 'for=127.0.0.1;host="a:80";proto=http');
    assert.equal(headers['x-forwarded-for'], '127.0.0.1');
    assert.equal(headers['x-forwarded-host'], 'a:80');
    assert.equal(headers['x-forwarded-proto'], 'http');
    assert.equal(headers['via'], '1.1 caravan');
    assert.equal(headers['traceparent'], undefined);
  });

  it('with this proxy behind those that it passed before', async () => {
    const { rawHeaders } = await seen(
      'GET / HTTP/1.1\r\nHost: a\r\nForwarded: for=1.2.3.4;proto=https\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 5.6.7.8\r\n' +
        'X-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\nVia: 1.1 edge\r\nConnection: close\r\n\r\n',
    );
    const fields = rawHeaders.map((_, at) => [rawHeaders[at]!, rawHeaders[at + 1]!] as const).filter((_, at) => at % 2 === 0);
    const values = (name: string) => fields.filter(([field]) => field === name).map(([, value]) => value);
    assert.deepEqual(values('Forwarded'), ['for=1.2.3.4;proto=https, for=127.0.0.1;host=a;proto=http']);
    assert.deepEqual(values('X-Forwarded-For'), ['1.2.3.4, 5.6.7.8, 127.0.0.1']);
    assert.deepEqual(values('X-Forwarded-Proto'), ['https']);
    assert.deepEqual(values('X-Forwarded-Host'), ['b']);
    assert.deepEqual(values('Via'), ['1.1 edge, 1.1 caravan']);
  });

  it('for the host that an absolute target names', async () => {
    const asked = await seen('GET http://b:81/x?y HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    assert.equal(asked.url, '/x?y');
    assert.equal(asked.headers.host, 'b:81');
  });

  it('as HTTP/1.1 where the client speaks HTTP/1.0', async () => {
    const asked = await seen('GET /x HTTP/1.0\r\nExpect: 100-continue\r\n\r\n');
    assert.equal(asked.httpVersion, '1.1');
    assert.equal(asked.headers.host, 'backend');
    assert.equal(asked.headers.via, '1.0 caravan');
    assert.equal(asked.headers.expect, undefined);
  });

  it('with one Content-Length where there were two of the same', async () => {
    const { rawHeaders } = await seen(
      'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
    );
    assert.equal(rawHeaders.filter((name) => name === 'Content-Length').length, 1);
  });

  it('without the wish to go on with HTTP/2', async () => {
    const { headers } = await seen(
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n',
    );
    assert.equal(headers.upgrade, undefined);
    assert.equal(headers['http2-settings'], undefined);
  });
});

describe('a client', () => {
  it('that is slow with its head is told so', async () => {
    await stage.listen({ headWithinMs: 50 });
    const said = await stage.exchange('GET / HTTP/1.1\r\nHost:');
    assert.match(said, /^HTTP\/1\.1 408 [^]*backend: the request did not come in time\n$/);
  });

  it('that asks nothing more is left', async () => {
    await stage.listen({ clientIdleMs: 50 });
    await stage.serve('west', (_, answer) => answer.writeHead(200, { 'Content-Length': 0 }).end());
    const said = await stage.exchange('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.match(said, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n$/);
  });

  it('that never asks is left', async () => {
    await stage.listen({ clientIdleMs: 50 });
    assert.equal(await stage.exchange(''), '');
  });

  for (const [how, leave] of [
    ['ends', (socket: Socket) => socket.end()],
    ['is reset', (socket: Socket) => socket.resetAndDestroy()],
  ] as const)
    it(`that ${how} while it waits is forgotten by the server, too`, async () => {
      await stage.listen();
      const server = await stage.serveRaw('west', (socket) => socket.resume());
      const socket = dial(stage.listener.port);
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await until('the request', () => [...server.sockets].some(({ bytesRead }) => bytesRead > 0));
      leave(socket);
      await until('the server to be left', () => server.sockets.size === 0);
      await until('its end', () => stage.way.clients === 0);
    });

  it('that has gone before a server was there costs nothing', async () => {
    await stage.listen();
    await stage.serveRaw('west', (socket) => socket.resume());
    const socket = dial(stage.listener.port);
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until('the request', () => stage.way.given === 1);
    socket.resetAndDestroy();
    await until('the server to be done', () => stage.way.done === 1);
  });
});

describe('a listener that is closed', () => {
  it('lets an answer that has begun go on to its end, and then ends both connections', async () => {
    await stage.listen();
    let finish: (() => void) | undefined;
    const server = await stage.serve('west', (_, answer) => {
      answer.write('first ');
      finish = () => answer.end('last');
    });
    const socket = dial(stage.listener.port);
    let said = '';
    socket.on('data', (chunk) => (said += chunk.toString()));
    const end = new Promise((resolve) => {
      socket.once('end', resolve);
    });
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until('the answer to begin', () => said.includes('first'));
    stage.listener.close();
    finish!();
    await end;
    socket.end();
    assert.match(said, /last\r\n0\r\n\r\n$/);
    await until('the server to be left', async () => (await connections(server)) === 0);
  });

  it('lets the request that is under stage.way finish, and ends the connection with it', async () => {
    await stage.listen();
    let answerIt: (() => void) | undefined;
    const server = await stage.serve('west', ({ url }, answer) => {
      if (url === '/slow') answerIt = () => answer.end('done');
      else answer.end();
    });
    const idle = stage.exchange('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until('the first to be answered', () => stage.way.done === 1);
    const busy = stage.exchange('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
    await until('the second', () => answerIt);
    stage.listener.close();
    assert.match(await idle, /200 OK/);
    answerIt!();
    assert.match(await busy, /Connection: close\r\n\r\n4\r\ndone|Connection: close\r\n\r\ndone/);
    await assert.rejects(stage.exchange('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), { code: 'ECONNREFUSED' });
    await until('the server to be left', async () => (await connections(server)) === 0);
  });
});
