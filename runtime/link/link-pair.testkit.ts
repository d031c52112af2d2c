/** Links between two ends on loopback: real sockets and WebSockets, without TLS, in one process. */
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { NarrowPath } from '../../test/support/narrow-path.ts';
import { until } from '../../test/support/until.ts';
import type { RoutingMessage } from '../routing/types.ts';
import type { DatagramHeader, EncodedHeader } from './datagram.ts';
import { type Frame, decodeFrame, encodeJsonFrame, FrameType, MAX_MESSAGE_BYTES } from './frames.ts';
import { type Hello, Link, type LinkEvents } from './link.ts';
import type { RawStream } from './raw-stream.ts';
import type { LinkStream } from './link-stream.ts';
import type { Reason, StreamError } from './reason.ts';
import { isForTunnel, takeTunnel, TUNNEL_PATH, TUNNEL_SUBPROTOCOL } from './take-tunnel.ts';
import { TunnelStream } from './tunnel-stream.ts';
import { MessageSocket } from './websocket/message-socket.ts';
import { answerUpgrade, requestUpgrade } from './websocket/upgrade.ts';

const SUBPROTOCOL = 'test';
const NEVER = new AbortController().signal;

/** Two ends of one WebSocket. */
export interface SocketPair {
  dialled: MessageSocket;
  accepted: MessageSocket;
  stop: () => Promise<void>;
}

export interface SocketPairOptions {
  /** Opens the way to a port. Default: there is none in between. */
  path?: ((port: number) => Promise<NarrowPath>) | undefined;
  /** What carries them is a tunnel. */
  tunnelled?: boolean | undefined;
}

export async function socketPair({ path, tunnelled }: SocketPairOptions = {}): Promise<SocketPair> {
  const server = await OneSocket.listen();
  const way = await path?.(server.port);
  const { port } = way ?? server;
  const direct = connect(port, '127.0.0.1');
  const socket = tunnelled ? await throughTunnel(direct, port) : direct;
  const request = { host: '127.0.0.1', port, path: '/', subprotocol: SUBPROTOCOL, socket, signal: NEVER };
  const head = await requestUpgrade(request);
  const dialled = new MessageSocket(socket, { dialled: true, head, maxMessageBytes: MAX_MESSAGE_BYTES });
  return {
    dialled,
    accepted: await server.socket,
    stop: async () => {
      dialled.destroy();
      await way?.stop();
      await server.stop();
    },
  };
}

async function throughTunnel(socket: Socket, port: number): Promise<TunnelStream> {
  const request = { host: '127.0.0.1', port, path: TUNNEL_PATH, subprotocol: TUNNEL_SUBPROTOCOL, socket, signal: NEVER };
  return new TunnelStream(socket, { dialled: true, head: await requestUpgrade(request) });
}

/** A server for one WebSocket. */
class OneSocket {
  readonly #server = createHttpServer();
  readonly socket: Promise<MessageSocket>;

  private constructor(maxMessageBytes: number) {
    this.socket = new Promise((resolve) => {
      this.#server.on('upgrade', (request, socket, head) => {
        if (isForTunnel(request)) this.#server.emit('connection', takeTunnel(request, socket, head));
        else if (answerUpgrade(request, socket, SUBPROTOCOL))
          resolve(new MessageSocket(socket, { dialled: false, head, maxMessageBytes }));
      });
    });
  }

  static async listen(maxMessageBytes = MAX_MESSAGE_BYTES): Promise<OneSocket> {
    const one = new OneSocket(maxMessageBytes);
    await new Promise<void>((resolve) => one.#server.listen(0, '127.0.0.1', resolve));
    return one;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    (await this.socket).destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** What a link told, and what to do with the streams that its neighbour opens. */
export class Recorder implements LinkEvents {
  readonly hellos: Hello[] = [];
  readonly messages: RoutingMessage[] = [];
  readonly opened: { stream: RawStream; window: number; info: unknown }[] = [];
  readonly costs: number[] = [];
  readonly datagrams: { header: DatagramHeader; flow: number; payload: Buffer }[] = [];
  reason: Reason | undefined;
  onOpen: (stream: RawStream, window: number, info: unknown) => void = () => {};

  hello(hello: Hello): void {
    this.hellos.push(hello);
  }
  routing(message: RoutingMessage): void {
    this.messages.push(message);
  }
  cost(cost: number): void {
    this.costs.push(cost);
  }
  open(stream: RawStream, window: number, info: unknown): void {
    this.opened.push({ stream, window, info });
    this.onOpen(stream, window, info);
  }
  datagram({ header }: EncodedHeader, flow: number, payload: Buffer): void {
    this.datagrams.push({ header, flow, payload });
  }
  closed(reason: Reason): void {
    this.reason = reason;
  }
}

export function helloOf(id: string): Hello {
  return { router: { id, site: { id, name: id }, version: '1', platform: 'host' }, instance: 1 };
}

export interface LinkPair {
  near: Link;
  far: Link;
  /** What each end was told. */
  nearEvents: Recorder;
  farEvents: Recorder;
  stop(): Promise<void>;
}

export interface PairOptions extends SocketPairOptions {
  maxQueuedBytes?: number;
  /** Of both ends. From version 2 on they measure the path. Default 1. */
  protocol?: number;
}

/** Two links that have greeted one another; `near` dialled. */
export async function linkPair({ maxQueuedBytes, protocol, ...way }: PairOptions = {}): Promise<LinkPair> {
  const { dialled, accepted, stop } = await socketPair(way);
  const [nearEvents, farEvents] = [new Recorder(), new Recorder()];
  const hello = (id: string): Hello => ({ ...helloOf(id), ...(protocol !== undefined && { protocol }) });
  const near = new Link(dialled, { dialled: true, hello: hello('near'), events: nearEvents, maxQueuedBytes });
  const far = new Link(accepted, { dialled: false, hello: hello('far'), events: farEvents, maxQueuedBytes });
  await until('both to say who they are', () => nearEvents.hellos.length + farEvents.hellos.length === 2);
  return {
    near,
    far,
    nearEvents,
    farEvents,
    stop: async () => {
      for (const link of [near, far]) link.close({ code: 'closing', message: 'the test ends' });
      await stop();
    },
  };
}

/** A neighbour with a WebSocket of another make, which sends whatever a test wants to the accepting end of a link. */
export class RawPeer {
  readonly link: Link;
  readonly events = new Recorder();
  readonly frames: Frame[] = [];
  /** The code with which the WebSocket was closed. */
  closedWith: number | undefined;
  readonly #ws: WebSocket;
  readonly #server: OneSocket;

  private constructor(ws: WebSocket, accepted: MessageSocket, server: OneSocket) {
    this.#ws = ws;
    this.#server = server;
    ws.on('message', (message: Buffer) => this.frames.push(decodeFrame(message)));
    ws.on('close', (code) => (this.closedWith = code));
    ws.on('error', () => {});
    this.link = new Link(accepted, { dialled: false, hello: helloOf('link'), events: this.events });
  }

  /** `maxPayload`: of a message, in either direction. Bytes. */
  static async start({ greeted = true, maxPayload = MAX_MESSAGE_BYTES } = {}): Promise<RawPeer> {
    const server = await OneSocket.listen(maxPayload);
    const ws = new WebSocket(`ws://127.0.0.1:${server.port}`, SUBPROTOCOL, { perMessageDeflate: false, maxPayload });
    await new Promise<void>((resolve, reject) => {
      ws.once('error', reject);
      ws.once('open', () => resolve());
    });
    const peer = new RawPeer(ws, await server.socket, server);
    if (greeted) peer.send(encodeJsonFrame(FrameType.hello, 0, helloOf('peer')));
    return peer;
  }

  send(...messages: (Buffer | string)[]): void {
    for (const message of messages) this.#ws.send(message);
  }

  /** The body of the first frame of a type, once it has come. */
  frame(type: FrameType): Promise<Frame> {
    return until(`a frame of type ${type}`, () => this.frames.find((frame) => frame.type === type), { timeoutMs: 10_000 });
  }

  async stop(): Promise<void> {
    this.link.close({ code: 'closing', message: 'the test ends' });
    this.#ws.terminate();
    await this.#server.stop();
  }
}

/** All that comes on a stream until its end. */
export async function allOf(stream: LinkStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** With what a stream ends. */
export function failure(stream: LinkStream): Promise<StreamError> {
  return new Promise((resolve) => {
    stream.once('error', (error) => resolve(error as StreamError));
    stream.resume();
  });
}
