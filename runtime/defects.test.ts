/** Errors that nobody foresaw: planted where a stranger's bytes are read. */
import assert from 'node:assert/strict';
import { Agent, createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, describe, it, type TestContext } from 'node:test';
import { dial, received, TestServer } from '../test/support/tcp.ts';
import { until } from '../test/support/until.ts';
import { defect, logDefects } from './defects.ts';
import { decodeJson, encodeFrame, FrameType } from './link/frames.ts';
import { RawPeer } from './link/link-pair.testkit.ts';
import { createLog } from './log.ts';
import { Connection } from './protocols/amqp/endpoint/connection.ts';
import { ServerHandshake } from './protocols/amqp/endpoint/handshake.ts';
import { Peer } from './protocols/amqp/peer.testkit.ts';
import { openHttpListener } from './protocols/http/http-listener.ts';
import { TcpWay } from './protocols/http/http.testkit.ts';
import { askHttp2, dialHttp2 } from './protocols/http2/ends.testkit.ts';
import { openHttp2Listener } from './protocols/http2/http2-listener.ts';
import type { Attempts, OpenListener } from './protocols/listener.ts';

const PLANTED = new TypeError('nobody thought of this');

let lines: string[];
beforeEach(() => {
  lines = [];
  logDefects(createLog({ format: 'text', level: 'error', write: (line) => lines.push(line) }));
});
afterEach(() => logDefects(undefined));

/** One line, with the place in the source. */
function isLogged(): void {
  assert.equal(lines.length, 1);
  assert.match(
    lines[0]!,
    /a defect was met, and cost one connection error="TypeError: nobody thought of this.*defects\.test\.ts/s,
  );
}

class FaultyWay extends TcpWay {
  isFaulty = false;

  override attempts(...asked: Parameters<TcpWay['attempts']>): Attempts {
    if (this.isFaulty) throw PLANTED;
    return super.attempts(...asked);
  }
}

async function stage(t: TestContext, open: OpenListener): Promise<{ port: number; way: FaultyWay }> {
  const server = createServer((_, response) => response.end('fine'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const way = new FaultyWay({ site: 'east', port: (server.address() as AddressInfo).port });
  const listener = await open('127.0.0.1', 0, way);
  t.after(() => listener.close());
  return { port: listener.port, way };
}

/** A client that keeps its connection: status and body of its next request. */
function keptClient(t: TestContext, port: number): () => Promise<string> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  return () =>
    new Promise((resolve, reject) => {
      const take = async (response: IncomingMessage) => {
        let body = '';
        for await (const chunk of response) body += String(chunk);
        resolve(`${response.statusCode} ${body} ${asked.reusedSocket ? 'again' : 'anew'}`);
      };
      const asked = request({ port, host: '127.0.0.1', agent }, (response) => void take(response).catch(reject));
      asked.on('error', reject).end();
    });
}

describe('a defect costs one connection, and is told in the log:', () => {
  for (const [type, open] of [
    ['http', openHttpListener],
    ['http2', openHttp2Listener],
  ] as const)
    it(`of a client in HTTP/1.1, at a listener of type ${type}`, async (t) => {
      const { port, way } = await stage(t, open);
      const other = keptClient(t, port);
      assert.equal(await other(), '200 fine anew');
      way.isFaulty = true;
      const unlucky = dial(port);
      unlucky.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      assert.match((await received(unlucky)).toString(), /^HTTP\/1\.1 500 .*the router met a defect/s);
      isLogged();
      way.isFaulty = false;
      assert.equal(await other(), '200 fine again');
    });

  it('of a client in HTTP/2', async (t) => {
    const { port, way } = await stage(t, openHttp2Listener);
    const other = dialHttp2(port);
    const unlucky = dialHttp2(port);
    t.after(() => {
      for (const session of [other, unlucky]) session.destroy();
    });
    assert.equal((await askHttp2(other)).body, 'fine');
    way.isFaulty = true;
    const goaway = new Promise((resolve) => unlucky.once('goaway', resolve));
    await askHttp2(unlucky);
    assert.equal(await goaway, 2, 'INTERNAL_ERROR');
    isLogged();
    way.isFaulty = false;
    assert.equal((await askHttp2(other)).body, 'fine');
  });

  it('of an AMQP client', async (t) => {
    const server = await TestServer.start((socket: Socket) => {
      const user = {
        opened: () => {
          throw PLANTED;
        },
        attached() {},
        closed() {},
      };
      void new Connection({ socket, container: 'test', handshake: new ServerHandshake(false), user });
    });
    t.after(() => server.stop());
    const peer = await Peer.connect(server.port);
    t.after(() => peer.socket.destroy());
    peer.writeHeader();
    peer.openConnection();
    await until('the connection to end', () => peer.isClosed || peer.socket.readableEnded);
    isLogged();
  });

  it('of a neighbour', async (t) => {
    const peer = await RawPeer.start();
    t.after(() => peer.stop());
    peer.events.onOpen = () => {
      throw PLANTED;
    };
    peer.send(encodeFrame(FrameType.open, 1, Buffer.from('\0\0\0\x01{}')));
    const bye = await peer.frame(FrameType.bye);
    assert.deepEqual(decodeJson(bye.body), { code: 'protocol', message: 'the router met a defect' });
    isLogged();
  });
});

describe('defects', () => {
  it('fill no log: the same one is told a few times a minute', () => {
    for (let met = 0; met < 1000; met++) defect(PLANTED);
    assert.equal(lines.length, 5);
  });

  it('are uncaught errors where nobody logs them', () => {
    logDefects(undefined);
    assert.throws(() => defect(PLANTED), PLANTED);
  });
});
