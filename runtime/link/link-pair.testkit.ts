/** Links between two ends on loopback: real sockets and WebSockets, without TLS, in one process. */
import { type AddressInfo, connect } from 'node:net';
import { createServer as createHttpServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { until } from '../../test/support/until.ts';
import type { RoutingMessage } from '../routing/types.ts';
import type { DatagramHeader, EncodedHeader } from './datagram.ts';
import { type Frame, decodeFrame, encodeJsonFrame, FrameType } from './frames.ts';
import { type Hello, Link, type LinkEvents } from './link.ts';
import type { RawStream } from './raw-stream.ts';
import type { Reason } from './reason.ts';

export interface End {
  ws: WebSocket;
  socket: Duplex;
}

/** Two ends of one WebSocket, both paused until a link takes them. */
export interface SocketPair {
  dialled: End;
  accepted: End;
  stop: () => Promise<void>;
}

export async function socketPair({ maxPayload = 64 * 1024 * 1024 } = {}): Promise<SocketPair> {
  const server = createHttpServer();
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload });
  const incoming = new Promise<End>((resolve) => {
    server.on('upgrade', (request, socket, head) => {
      sockets.handleUpgrade(request, socket, head, (ws) => {
        ws.pause();
        resolve({ ws, socket });
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const ws = new WebSocket('ws://127.0.0.1', { createConnection: () => socket, perMessageDeflate: false, maxPayload });
  await new Promise<void>((resolve, reject) => {
    ws.once('error', reject);
    ws.once('open', () => {
      ws.off('error', reject);
      ws.pause();
      resolve();
    });
  });
  const accepted = await incoming;
  return {
    dialled: { ws, socket },
    accepted,
    stop: async () => {
      for (const end of [ws, accepted.ws]) end.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
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

/** Two links that have greeted one another; `near` dialled. */
export async function linkPair(): Promise<LinkPair> {
  const { dialled, accepted, stop } = await socketPair();
  const [nearEvents, farEvents] = [new Recorder(), new Recorder()];
  const near = new Link(dialled.ws, dialled.socket, { dialled: true, hello: helloOf('near'), events: nearEvents });
  const far = new Link(accepted.ws, accepted.socket, { dialled: false, hello: helloOf('far'), events: farEvents });
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

/** A neighbour that sends whatever a test wants, to the accepting end of a link. */
export class RawPeer {
  readonly link: Link;
  readonly events = new Recorder();
  readonly frames: Frame[] = [];
  /** The code with which the WebSocket was closed. */
  closedWith: number | undefined;
  readonly #pair: SocketPair;

  private constructor(pair: SocketPair) {
    this.#pair = pair;
    const { ws } = pair.dialled;
    ws.on('message', (message: Buffer) => this.frames.push(decodeFrame(message)));
    ws.on('close', (code) => (this.closedWith = code));
    ws.on('error', () => {});
    ws.resume();
    const { accepted } = pair;
    this.link = new Link(accepted.ws, accepted.socket, { dialled: false, hello: helloOf('link'), events: this.events });
  }

  static async start(options: { greeted?: boolean; maxPayload?: number } = {}): Promise<RawPeer> {
    const { greeted = true, ...limits } = options;
    const peer = new RawPeer(await socketPair(limits));
    if (greeted) peer.send(encodeJsonFrame(FrameType.hello, 0, helloOf('peer')));
    return peer;
  }

  send(...messages: (Buffer | string)[]): void {
    for (const message of messages) this.#pair.dialled.ws.send(message);
  }

  /** The body of the first frame of a type, once it has come. */
  frame(type: FrameType): Promise<Frame> {
    return until(`a frame of type ${type}`, () => this.frames.find((frame) => frame.type === type), { timeoutMs: 10_000 });
  }

  async stop(): Promise<void> {
    this.link.close({ code: 'closing', message: 'the test ends' });
    await this.#pair.stop();
  }
}
