/** Clients that do not go on with a request: neither with its body nor with reading its answer. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { TestAuthority } from '../../../test/support/certificates.ts';
import { dial, TestServer } from '../../../test/support/tcp.ts';
import { until } from '../../../test/support/until.ts';
import { silentLog } from '../../log.ts';
import { acceptClients } from '../accept-clients.ts';
import { openHttp2ListenerWithin } from '../http2/http2-listener.ts';
import { DEFAULT_LIMITS as HTTP2_LIMITS } from '../http2/limits.ts';
import { ClientConnection } from './client-connection.ts';
import { TcpWay } from './http.testkit.ts';
import { httpListener } from './http-listener.ts';
import { DEFAULT_LIMITS, STALLED_MS } from './limits.ts';
import type { RequestClient } from './request-handler.ts';
import { heard, stageForEach } from './stage.testkit.ts';

const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n';
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

describe('at a listener', () => {
  const stage = stageForEach();

  for (const [type, open] of [
    ['http', httpListener({ stalledMs: 50 })],
    [
      'http2',
      (...all: [string, number, TcpWay]) =>
        openHttp2ListenerWithin({ ...HTTP2_LIMITS, stalledMs: 50, reviewEveryMs: 10 }, ...all),
    ],
  ] as const) {
    const listen = async (serveOne: (socket: Socket) => void): Promise<TestServer> => {
      const server = await stage.serveRaw('west', (socket) => {
        // It speaks no better than HTTP/1.1.
        socket.once('data', (chunk) => (chunk.toString().startsWith('PRI') ? socket.destroy() : serveOne(socket)));
      });
      stage.listener = await open('127.0.0.1', 0, stage.way);
      stage.ends.push(() => stage.listener.close());
      return server;
    };

    it(`of type ${type} a client that does not send its body is told so, and its server is free`, async () => {
      const server = await listen(() => {});
      assert.match(await stage.exchange(POST), /^HTTP\/1\.1 408 [^]*backend: the request did not go on in time\n$/);
      await until('the server to be left', () => server.sockets.size === 0);
    });

    it(`of type ${type} a client that does not read its answer is let go, and its server is free`, async () => {
      const server = await listen((socket) => {
        const pour = (): void => {
          while (!socket.destroyed && socket.write(Buffer.alloc(65_536)));
        };
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.on('drain', pour);
        pour();
      });
      const socket = dial(stage.listener.port);
      socket.pause();
      socket.write(GET);
      await until('its client', () => stage.way.clients === 1);
      await until('it to be let go', () => stage.way.clients === 0);
      await until('the server to be left', () => server.sockets.size === 0);
    });
  }
});

describe('as the clock goes on, a client', () => {
  let server: TestServer;
  let far: Socket;
  let near: Socket;
  let connection: ClientConnection;
  let client: RequestClient | undefined;

  beforeEach(async () => {
    client = undefined;
    server = await TestServer.start(accept);
    far = dial(server.port);
    await until('the connection', () => server.sockets.size === 1);
  });
  afterEach(async () => {
    far.destroy();
    await server.stop();
  });

  function accept(socket: Socket): void {
    near = socket;
    const context = { way: new TcpWay(), log: silentLog, limits: DEFAULT_LIMITS, isClosing: false };
    connection = new ClientConnection(near, context, (_, asking) => {
      client = asking;
      return { hasAnswered: false, start() {}, body() {}, ended() {}, drained() {}, cancel() {} };
    });
  }

  async function asks(bytes: string): Promise<void> {
    far.write(bytes);
    await until('its request', () => client);
  }

  /** How often nothing is heard of it for the whole time, one sweep after the other. */
  function pass(times: number, from = 0): void {
    for (let at = 0; at <= times; at++) connection.sweep(from + at * STALLED_MS);
  }

  it('that has not sent its body is given up when its time is over, and not before', async () => {
    await asks(POST);
    connection.sweep(0);
    connection.sweep(STALLED_MS - 1);
    assert.equal(near.writable, true);
    connection.sweep(STALLED_MS);
    assert.match(await heard(far, () => false), /^HTTP\/1\.1 408 /);
  });

  it('that sends as little as a byte is waited for as long again', byteByByte);

  it('that does so in TLS is, too', async () => {
    const authority = await TestAuthority.make();
    const tls = { ...(await authority.issue(['localhost'])), alpn: ['http/1.1'] };
    const port = await acceptClients('127.0.0.1', 0, { address: 'backend', log: silentLog, tls }, accept);
    const plain = far;
    far = connectTls({ port: port.port, host: '127.0.0.1', servername: 'localhost', ca: authority.certificate });
    await byteByByte();
    for (const each of [plain, near]) each.destroy();
    port.close();
  });

  async function byteByByte(): Promise<void> {
    await asks(POST);
    connection.sweep(0);
    const before = near.bytesRead;
    far.write('x');
    await until('the byte', () => near.bytesRead > before);
    pass(0, STALLED_MS);
    connection.sweep(2 * STALLED_MS - 1);
    assert.equal(near.writable, true);
    connection.sweep(2 * STALLED_MS);
    assert.equal(near.writable, false);
  }

  it('whose body is whole is not given up, however long its server thinks, or streams', async () => {
    await asks(GET);
    pass(3);
    client!.write(Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n'));
    pass(3, 4 * STALLED_MS);
    assert.equal(near.writable, true);
  });

  it('that gets an answer while its body goes on is not given up as long as either moves', async () => {
    await asks(POST);
    for (let at = 0; at < 4; at++) {
      client!.write(Buffer.from('x'));
      connection.sweep(at * STALLED_MS);
    }
    assert.equal(near.writable, true);
  });

  it('whose body is not taken by its server is not given up', async () => {
    await asks(POST);
    client!.holdBody(true);
    pass(3);
    assert.equal(near.writable, true);
    client!.holdBody(false);
    pass(1, 4 * STALLED_MS);
    assert.equal(near.writable, false);
  });

  it('that has changed to another protocol is not given up, whether it reads or not', async () => {
    await asks(GET);
    const sink = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() }).on('error', () => {});
    far.pause();
    client!.tunnel(sink, Buffer.from('HTTP/1.1 101 Switching Protocols\r\n\r\n'));
    while (!near.writableNeedDrain) {
      sink.push(Buffer.alloc(65_536));
      await new Promise(setImmediate);
    }
    pass(3);
    assert.equal(near.destroyed, false);
  });
});
