/** A listener of type http2 between real clients and real servers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { ClientHttp2Session } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { dial, TestServer } from '../../../test/support/tcp.ts';
import { until } from '../../../test/support/until.ts';
import type { ProtocolListener } from '../listener.ts';
import type { ServerTls } from '../tls/server-tls.ts';
import { dialHttp2, H2Server } from './ends.testkit.ts';
import { openHttp2ListenerWithin } from './http2-listener.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { TestWay } from './way.testkit.ts';

/** What a server of HTTP/1.1 says to what a connection has said so far. */
export type Say = (said: string, socket: Socket) => void;

export class Stage {
  way!: TestWay;
  listener!: ProtocolListener;
  /** A client of HTTP/2. */
  client!: ClientHttp2Session;
  readonly servers: { stop(): unknown }[] = [];
  readonly clients: { destroy(): unknown }[] = [];

  /** A server of HTTP/2. */
  async serve(...all: Parameters<typeof H2Server.start>): Promise<H2Server> {
    const server = await H2Server.start(...all);
    this.servers.push(server);
    return server;
  }

  /** A server that speaks no better than HTTP/1.1. */
  async serveHttp1(answer: RequestListener): Promise<Server & { port: number }> {
    const server = createServer(answer).listen(0, '127.0.0.1');
    // What ends is ended by the listener.
    server.keepAliveTimeout = 0;
    await once(server, 'listening');
    this.servers.push({
      stop: () => {
        server.closeAllConnections();
        server.close();
      },
    });
    return Object.assign(server, { port: (server.address() as AddressInfo).port });
  }

  /** One that says just what it is told to. */
  serveRaw(say: Say): Promise<TestServer> {
    return this.serveTcp((socket) => {
      let said = '';
      socket.on('data', (chunk) => {
        said += chunk.toString('latin1');
        // It was asked whether it speaks HTTP/2.
        if (said.startsWith('PRI')) socket.destroy();
        else say(said, socket);
      });
    });
  }

  async serveTcp(...all: Parameters<typeof TestServer.start>): Promise<TestServer> {
    const server = await TestServer.start(...all);
    this.servers.push(server);
    return server;
  }

  /** Opens the listener in front of these servers, and connects a client of HTTP/2. */
  async open(ports: number[], limits: Partial<Limits> = {}, tls?: ServerTls): Promise<void> {
    this.way = new TestWay(ports, tls);
    this.listener = await openHttp2ListenerWithin({ ...DEFAULT_LIMITS, ...limits }, '127.0.0.1', 0, this.way);
    this.client = this.anotherClient();
  }

  /** On the same host, or on that of another address of loopback. */
  anotherClient(address = '127.0.0.1'): ClientHttp2Session {
    const another = dialHttp2(this.listener.port, address);
    this.clients.push(another);
    return another;
  }

  /** A client that says what it is told to. */
  dial(says = ''): Socket {
    const socket = dial(this.listener.port);
    this.clients.push(socket);
    if (says !== '') socket.write(says, 'latin1');
    return socket;
  }

  /** Ends all of it. Nothing may be left then. */
  async end(): Promise<void> {
    this.listener.close();
    for (const each of this.clients.splice(0)) each.destroy();
    await Promise.all(this.servers.splice(0).map((server) => server.stop()));
    await until('every server to be given back', () => this.way.busy.size === 0);
    assert.equal(this.way.doneTwice, 0);
    await until('every client to be gone', () => this.way.clients === 0);
  }
}

/** All that a client has been told so far, from here on. */
export function hearing(socket: Socket): () => string {
  let heard = '';
  socket.setEncoding('latin1').on('data', (text: string) => (heard += text));
  return () => heard;
}

/** What a counter has once it grows no more. */
export async function stalled(count: () => number): Promise<number> {
  let last = -1;
  let still = 0;
  return until('it to stall', () => {
    still = count() === last ? still + 1 : 0;
    last = count();
    return still > 8 && last > 0 && last;
  });
}

/** A port that nobody listens on. */
export async function deadPort(): Promise<number> {
  const server = await TestServer.start(() => {});
  const { port } = server;
  await server.stop();
  return port;
}

/** The fields of a gRPC call. */
export function grpcFields(path = '/orders.Orders/Get'): Record<string, string> {
  return { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
}
