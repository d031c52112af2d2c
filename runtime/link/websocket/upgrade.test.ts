import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { received } from '../../../test/support/tcp.ts';
import { until } from '../../../test/support/until.ts';
import { dialled, listen, SUBPROTOCOL, upgraded } from './ends.testkit.ts';
import { answerUpgrade, refuseUpgrade, requestUpgrade, UpgradeRefused } from './upgrade.ts';

/** Of RFC 6455, section 1.3, with its answer. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

type Fields = Record<string, string | string[] | undefined>;

/** A client's request. `changed`: fields that are otherwise, or left out where they are undefined. */
function requestText(changed: Fields = {}, method = 'GET'): string {
  return textOf(`${method} / HTTP/1.1`, {
    Host: 'localhost',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': KEY,
    'Sec-WebSocket-Protocol': SUBPROTOCOL,
    ...changed,
  });
}

/** A server's answer to a client with that key. */
function answerText(key: string, changed: Fields = {}): string {
  return textOf('HTTP/1.1 101 Switching Protocols', {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Accept': createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64'),
    'Sec-WebSocket-Protocol': SUBPROTOCOL,
    ...changed,
  });
}

function textOf(first: string, fields: Fields): string {
  const lines = Object.entries(fields).flatMap(([name, values]) => [values ?? []].flat().map((value) => `${name}: ${value}`));
  return [first, ...lines, '', ''].join('\r\n');
}

interface Asked {
  isAnswered: boolean;
  socket: Socket;
  head: Buffer;
}

/** A server that answers, with what it was asked. */
async function answering(t: TestContext): Promise<{ port: number; asked: Asked[] }> {
  const asked: Asked[] = [];
  const port = await listen(t, (request, socket, head) =>
    asked.push({ isAnswered: answerUpgrade(request, socket, SUBPROTOCOL), socket, head }),
  );
  return { port, asked };
}

/** A server that does what the test wants with a request. */
function doing(t: TestContext, answer: (socket: Socket, key: string) => void): Promise<number> {
  return listen(t, ({ headers }, socket) => {
    socket.on('error', () => {});
    answer(socket, headers['sec-websocket-key']!);
  });
}

/** What comes until there is so much. */
async function bytesOf(socket: Socket, size: number, head: Buffer = Buffer.alloc(0)): Promise<string> {
  const chunks: Buffer[] = [head];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await until(`${size} bytes`, () => Buffer.concat(chunks).length >= size);
  return Buffer.concat(chunks).toString();
}

/** Why a dial to it fails; the connection must be over. */
async function failure(t: TestContext, port: number, signal?: AbortSignal): Promise<Error> {
  const socket = dialled(t, port);
  const error: unknown = await upgraded(socket, port, signal).then(
    () => assert.fail('it was let in'),
    (why: unknown) => why,
  );
  assert.ok(error instanceof Error);
  assert.equal(socket.destroyed, true);
  return error;
}

describe('an upgrade', () => {
  it('leaves a connection for both ends to say what they want', async (t) => {
    const { port, asked } = await answering(t);
    const socket = dialled(t, port);
    assert.equal((await upgraded(socket, port)).length, 0);
    const [server] = asked as [Asked];
    assert.deepEqual([server.isAnswered, server.head.length], [true, 0]);
    socket.write('from the client');
    server.socket.write('from the server');
    assert.equal(await bytesOf(socket, 15), 'from the server');
    assert.equal(await bytesOf(server.socket, 15), 'from the client');
  });

  it('is asked for as RFC 6455 wants it, with another key each time', async (t) => {
    const seen: { method?: string | undefined; url?: string | undefined; headers: IncomingHttpHeaders }[] = [];
    const port = await listen(t, (request, socket) => {
      seen.push(request);
      answerUpgrade(request, socket, 'caravan.9');
    });
    for (let left = 2; left > 0; left--) {
      const socket = dialled(t, port);
      await requestUpgrade({
        host: '[::1]',
        port: 4433,
        path: '/some/where',
        subprotocol: 'caravan.9',
        socket,
        signal: new AbortController().signal,
      });
    }
    for (const { method, url, headers } of seen) {
      assert.deepEqual([method, url], ['GET', '/some/where']);
      const { 'sec-websocket-key': key, ...others } = headers;
      assert.equal(Buffer.from(key!, 'base64').length, 16);
      assert.deepEqual(others, {
        host: '[::1]:4433',
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-protocol': 'caravan.9',
      });
    }
    assert.notEqual(seen[0]!.headers['sec-websocket-key'], seen[1]!.headers['sec-websocket-key']);
  });

  it('is answered as RFC 6455 shows it', async (t) => {
    const { port } = await answering(t);
    const socket = dialled(t, port);
    socket.write(requestText());
    const expected = textOf('HTTP/1.1 101 Switching Protocols', {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Accept': ACCEPT,
      'Sec-WebSocket-Protocol': SUBPROTOCOL,
    });
    assert.equal(await bytesOf(socket, expected.length), expected);
  });

  it('loses nothing of what comes right behind it', async (t) => {
    const port = await listen(t, (request, socket, head) => {
      socket.cork();
      answerUpgrade(request, socket, SUBPROTOCOL);
      socket.write('early');
      socket.uncork();
      void bytesOf(socket, 5, head).then((text) => socket.write(`, ${text}`));
    });
    const socket = dialled(t, port);
    const head = await upgraded(socket, port);
    socket.write('later');
    assert.equal(await bytesOf(socket, 12, head), 'early, later');
    const raw = dialled(t, port);
    raw.write(`${requestText()}first`);
    assert.match(await bytesOf(raw, answerText(KEY).length + 12), /\r\n\r\nearly, first$/);
  });

  const offers: [what: string, fields: Fields][] = [
    ['first', { 'Sec-WebSocket-Protocol': 'test, other' }],
    ['last', { 'Sec-WebSocket-Protocol': 'other.1,other.2 ,  test' }],
    ['in a field of its own', { 'Sec-WebSocket-Protocol': ['other', 'test'] }],
  ];
  for (const [what, fields] of offers) {
    it(`is answered where the subprotocol is offered ${what}, and that one is chosen`, async (t) => {
      const { port } = await answering(t);
      const socket = dialled(t, port);
      socket.write(requestText(fields));
      const expected = answerText(KEY);
      assert.equal((await bytesOf(socket, expected.length)).match(/Protocol: (.*)\r\n/)![1], SUBPROTOCOL);
    });
  }

  it('is answered to clients that write what means the same, and offer extensions', async (t) => {
    const { port, asked } = await answering(t);
    const fields = {
      Connection: 'keep-alive, upgrade',
      Upgrade: 'WebSocket',
      'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits',
    };
    const socket = dialled(t, port);
    socket.write(requestText(fields));
    const expected = answerText(KEY);
    assert.equal(await bytesOf(socket, expected.length), expected);
    assert.equal(asked[0]!.isAnswered, true);
  });

  it('by the library is answered, for the one subprotocol of several, without its extensions', async (t) => {
    const { port } = await answering(t);
    const ws = new WebSocket(`ws://127.0.0.1:${port}`, ['other', SUBPROTOCOL, 'more'], { perMessageDeflate: true });
    t.after(() => ws.terminate());
    await once(ws, 'open');
    assert.deepEqual([ws.protocol, ws.extensions], [SUBPROTOCOL, '']);
  });

  it('is answered by the library, also by one that would like extensions', async (t) => {
    const library = new WebSocketServer({ noServer: true, perMessageDeflate: true });
    const accepted: WebSocket[] = [];
    const port = await listen(t, (request, socket, head) =>
      library.handleUpgrade(request, socket, head, (ws) => {
        accepted.push(ws);
        ws.send(Buffer.from('hello'));
      }),
    );
    const socket = dialled(t, port);
    const head = await upgraded(socket, port);
    assert.equal(await bytesOf(socket, 7, head), '\x82\x05hello'.replace('\x82', '\ufffd'));
    assert.deepEqual([accepted[0]!.protocol, accepted[0]!.extensions], [SUBPROTOCOL, '']);
  });
});

describe('a server refuses', () => {
  const OTHER_VERSION = '426 Upgrade Required\r\nSec-WebSocket-Version: 13';
  const cases: [what: string, request: string, status: string][] = [
    ['another version', requestText({ 'Sec-WebSocket-Version': '8' }), OTHER_VERSION],
    ['two versions', requestText({ 'Sec-WebSocket-Version': ['13', '8'] }), OTHER_VERSION],
    ['no version', requestText({ 'Sec-WebSocket-Version': undefined }), OTHER_VERSION],
    ['no key', requestText({ 'Sec-WebSocket-Key': undefined }), '400 Bad Request'],
    ['an empty key', requestText({ 'Sec-WebSocket-Key': '' }), '400 Bad Request'],
    ['a key of 15 bytes', requestText({ 'Sec-WebSocket-Key': Buffer.alloc(15).toString('base64') }), '400 Bad Request'],
    ['a key of 17 bytes', requestText({ 'Sec-WebSocket-Key': Buffer.alloc(17).toString('base64') }), '400 Bad Request'],
    ['a key that is no base64', requestText({ 'Sec-WebSocket-Key': `${'*'.repeat(22)}==` }), '400 Bad Request'],
    ['more than a key', requestText({ 'Sec-WebSocket-Key': `${KEY} ${KEY}` }), '400 Bad Request'],
    ['two keys', requestText({ 'Sec-WebSocket-Key': [KEY, KEY] }), '400 Bad Request'],
    ['another subprotocol', requestText({ 'Sec-WebSocket-Protocol': 'other' }), '400 Bad Request'],
    ['a subprotocol with a longer name', requestText({ 'Sec-WebSocket-Protocol': 'test.2, atest' }), '400 Bad Request'],
    ['no subprotocol', requestText({ 'Sec-WebSocket-Protocol': undefined }), '400 Bad Request'],
    ['an upgrade to something else', requestText({ Upgrade: 'h2c' }), '400 Bad Request'],
    ['POST', requestText({ 'Content-Length': '5' }, 'POST') + 'hello', '400 Bad Request'],
    ['PUT', requestText({}, 'PUT'), '400 Bad Request'],
  ];
  for (const [what, request, status] of cases) {
    it(`${what}, and ends the connection`, async (t) => {
      const { port, asked } = await answering(t);
      const socket = dialled(t, port);
      socket.write(request);
      const answer = (await received(socket)).toString();
      assert.equal(answer, `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      assert.deepEqual(
        asked.map(({ isAnswered }) => isAnswered),
        [false],
      );
      await until('the connection to be gone', () => asked[0]!.socket.closed);
    });
  }

  it('the library as it refuses everybody', async (t) => {
    const { port } = await answering(t);
    const clients: [subprotocol: string, protocolVersion: number, status: number][] = [
      ['other', 13, 400],
      [SUBPROTOCOL, 8, 426],
    ];
    for (const [subprotocol, protocolVersion, status] of clients) {
      const ws = new WebSocket(`ws://127.0.0.1:${port}`, subprotocol, { protocolVersion });
      t.after(() => ws.terminate());
      ws.on('error', () => {});
      const answered = new Promise((resolve) => ws.on('unexpected-response', (_, { statusCode }) => resolve(statusCode)));
      assert.equal(await answered, status);
    }
  });

  it('with the fields that it is given', async (t) => {
    const port = await listen(t, (_, socket) => refuseUpgrade(socket, '503 Service Unavailable', 'Retry-After: 5'));
    const socket = dialled(t, port);
    socket.write(requestText());
    const answer = (await received(socket)).toString();
    assert.equal(answer, 'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });

  it('a client that does not go, and cuts it off', async (t) => {
    const { port, asked } = await answering(t);
    const socket = dialled(t, port, true);
    socket.on('error', () => {});
    socket.write(requestText({ Upgrade: 'h2c' }));
    assert.match((await received(socket)).toString(), /^HTTP\/1.1 400 /);
    await until('it to be cut off', () => asked[0]!.socket.closed);
    assert.equal(socket.writableEnded, false);
  });

  it('a client that is gone by then', async (t) => {
    const { port, asked } = await answering(t);
    const socket = dialled(t, port, true);
    socket.write(requestText({ Upgrade: 'h2c' }));
    await until('the refusal', () => asked.length === 1);
    socket.resetAndDestroy();
    await until('the connection to be gone', () => asked[0]!.socket.closed);
    assert.equal(asked[0]!.socket.errored?.message, 'read ECONNRESET');
  });

  it('a client that still sends, and reads that, so that the answer is not lost', async (t) => {
    // It is not cut off, however long it takes to send.
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { port, asked } = await answering(t);
    const socket = dialled(t, port, true);
    const request = requestText({ 'Content-Length': String(1024 * 1024) }, 'POST');
    socket.write(request);
    socket.write(Buffer.alloc(1024 * 1024));
    await until('all of it to be read', () => asked[0]?.socket.bytesRead === request.length + 1024 * 1024);
    assert.match((await received(socket)).toString(), /^HTTP\/1.1 400 /);
  });
});

describe('a client', () => {
  it('is let in by an answer whose names are written in other letters', async (t) => {
    const port = await doing(t, (socket, key) => socket.write(answerText(key, { Upgrade: 'WebSocket' })));
    assert.equal((await upgraded(dialled(t, port), port)).length, 0);
  });

  const answers: [what: string, fields: Fields][] = [
    ['for another key', { 'Sec-WebSocket-Accept': ACCEPT }],
    ['for no key', { 'Sec-WebSocket-Accept': undefined }],
    ['of another subprotocol', { 'Sec-WebSocket-Protocol': 'other' }],
    ['of two subprotocols', { 'Sec-WebSocket-Protocol': [SUBPROTOCOL, 'other'] }],
    ['of no subprotocol', { 'Sec-WebSocket-Protocol': undefined }],
    ['with an extension', { 'Sec-WebSocket-Extensions': 'permessage-deflate' }],
    ['of another protocol', { Upgrade: 'h2c' }],
  ];
  for (const [what, fields] of answers) {
    it(`turns away from an answer ${what}`, async (t) => {
      const port = await doing(t, (socket, key) => socket.write(answerText(key, fields)));
      const error = await failure(t, port);
      assert.deepEqual([error.constructor, error.message], [Error, 'the other end does not speak test']);
    });
  }

  const refusals: [what: string, refuse: (socket: Socket) => void, status: number][] = [
    ['403', (socket) => refuseUpgrade(socket, '403 Forbidden'), 403],
    ['426', (socket) => refuseUpgrade(socket, '426 Upgrade Required'), 426],
    ['404 and a page', (socket) => socket.write('HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot here\n'), 404],
    ['200 and a page without an end', (socket) => socket.write('HTTP/1.1 200 OK\r\n\r\n<html>'), 200],
    ['302', (socket) => socket.end('HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n'), 302],
    ['101 without an upgrade', (socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'), 101],
    [
      '503 behind another answer',
      (socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n'),
      503,
    ],
  ];
  for (const [what, refuse, status] of refusals) {
    it(`knows with which status it was refused: ${what}`, async (t) => {
      const error = await failure(t, await doing(t, refuse));
      assert.ok(error instanceof UpgradeRefused);
      assert.deepEqual([error.status, error.message], [status, `the other end answers ${status}`]);
    });
  }

  it('is refused by the library as by everybody', async (t) => {
    const library = new WebSocketServer({
      noServer: true,
      verifyClient: (_, answer: (isIn: boolean, code: number) => void) => answer(false, 403),
    });
    const error = await failure(t, await listen(t, (...request) => library.handleUpgrade(...request, () => {})));
    assert.ok(error instanceof UpgradeRefused);
    assert.equal(error.status, 403);
  });

  it('turns away from the library where that knows no such subprotocol', async (t) => {
    const library = new WebSocketServer({ noServer: true, handleProtocols: () => false });
    const error = await failure(t, await listen(t, (...request) => library.handleUpgrade(...request, () => {})));
    assert.equal(error.message, 'the other end does not speak test');
  });

  const losses: [what: string, lose: (socket: Socket) => void, code: string][] = [
    ['ends without an answer', (socket) => socket.end(), 'ECONNRESET'],
    ['ends within its answer', (socket) => socket.end('HTTP/1.1 101 Swi'), 'ECONNRESET'],
    ['is reset', (socket) => socket.resetAndDestroy(), 'ECONNRESET'],
    ['speaks something else', (socket) => socket.write('SSH-2.0-server\r\n'), 'HPE_INVALID_CONSTANT'],
  ];
  for (const [what, lose, code] of losses) {
    it(`says what is wrong with a connection that ${what}`, async (t) => {
      const error = await failure(t, await doing(t, lose));
      assert.equal((error as NodeJS.ErrnoException).code, code);
    });
  }

  it('says that nobody listens', async (t) => {
    const server = dialled(t, await doing(t, () => {}));
    await once(server, 'connect');
    // No server listens where a client's connection begins.
    const error = await failure(t, server.localPort!);
    assert.equal((error as NodeJS.ErrnoException).code, 'ECONNREFUSED');
  });

  it('that is told to stop before it asks, does not ask', async (t) => {
    const { port, asked } = await answering(t);
    const error = await failure(t, port, AbortSignal.abort());
    assert.equal(error.name, 'AbortError');
    assert.equal(asked.length, 0);
  });

  it('that is told to stop while it waits, ends the connection', async (t) => {
    const stop = new AbortController();
    let server: Socket | undefined;
    const port = await doing(t, (socket) => {
      server = socket;
      stop.abort();
    });
    assert.equal((await failure(t, port, stop.signal)).name, 'AbortError');
    server!.resume();
    await until('the end', () => server!.readableEnded || server!.closed);
  });

  it('that is told to stop when it was let in, keeps its connection', async (t) => {
    const { port, asked } = await answering(t);
    const stop = new AbortController();
    const socket = dialled(t, port);
    await upgraded(socket, port, stop.signal);
    stop.abort();
    asked[0]!.socket.write('still here');
    assert.equal(await bytesOf(socket, 10), 'still here');
  });
});
