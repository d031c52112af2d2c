/** A listener of type http between real clients and real servers. */
import assert from 'node:assert/strict';
import {
  Agent,
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type RequestListener,
  type Server,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach } from 'node:test';
import { dial, TestServer } from '../../../test/support/tcp.ts';
import { until } from '../../../test/support/until.ts';
import type { ProtocolListener } from '../listener.ts';
import { httpListener } from './http-listener.ts';
import { TcpWay } from './http.testkit.ts';
import type { HttpLimits } from './limits.ts';

export const MIB = 1024 * 1024;

interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: string;
}

/** Made anew for each test of the file that calls this. */
export function stageForEach(): Stage {
  const stage = new Stage();
  beforeEach(() => stage.begin());
  afterEach(() => stage.end());
  return stage;
}

export class Stage {
  way!: TcpWay;
  listener!: ProtocolListener;
  /** One connection that is kept. */
  agent!: Agent;
  /** What is called when the test is over, the last first. */
  readonly ends: (() => unknown)[] = [];

  begin(): void {
    this.way = new TcpWay();
    this.agent = new Agent({ keepAlive: true, maxSockets: 1 });
  }

  async end(): Promise<void> {
    this.agent.destroy();
    for (const end of this.ends.splice(0).toReversed()) await end();
    await until('all servers to be done', () => this.way.given === this.way.done);
    assert.equal(this.way.doneTwice, false);
  }

  async listen(limits: Partial<HttpLimits> = {}): Promise<void> {
    this.listener = await httpListener(limits)('127.0.0.1', 0, this.way);
    this.ends.push(() => this.listener.close());
  }

  /** A real server behind the listener. */
  async serve(site: string, answer: RequestListener): Promise<Server> {
    const server = createServer(answer);
    // It never closes a connection by itself: what ends is ended by the listener.
    server.keepAliveTimeout = 0;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.way.servers.push({ site, port: (server.address() as AddressInfo).port });
    this.ends.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return server;
  }

  /** A server that says just what it is told to. */
  async serveRaw(site: string, serveOne: (socket: Socket) => void): Promise<TestServer> {
    const server = await TestServer.start(serveOne);
    this.way.servers.push({ site, port: server.port });
    this.ends.push(() => server.stop());
    return server;
  }

  async ask(path = '/', options: Parameters<typeof request>[1] = {}, body?: Buffer | string): Promise<Answer> {
    const asked = request({ port: this.listener.port, agent: this.agent, path, ...options });
    asked.end(body);
    return answerTo(asked);
  }

  /** What a plain socket gets to see: all of it, until the connection ends or `isEnough`. */
  exchange(bytes: string, isEnough: (said: string) => boolean = () => false): Promise<string> {
    const socket = dial(this.listener.port);
    socket.write(bytes, 'latin1');
    return heard(socket, isEnough);
  }
}

/** Answers every head that comes on a socket with these bytes. */
export function answering(...answers: string[]): (socket: Socket) => void {
  return (socket) => {
    const left = [...answers];
    let head = '';
    socket.on('data', (chunk) => {
      head += chunk.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      head = '';
      socket.write(left.length > 1 ? left.shift()! : left[0]!);
    });
  };
}

export function answerTo(asked: ClientRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    asked.once('error', reject);
    asked.once('response', (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (piece: string) => (body += piece));
      answer.once('error', reject);
      answer.once('end', () => resolve({ status: answer.statusCode!, headers: answer.headers, body }));
    });
  });
}

export function heard(socket: Socket, isEnough: (said: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      said += chunk.toString('latin1');
      if (!isEnough(said)) return;
      socket.destroy();
      resolve(said);
    });
    socket.once('end', () => {
      socket.end();
      resolve(said);
    });
  });
}

export function connections(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.getConnections((_, count) => resolve(count));
  });
}
