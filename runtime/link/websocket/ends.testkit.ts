/** WebSockets on loopback, without TLS: connections whose upgrade is done, and what the library `ws` makes of their other end. */
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import type { MessageSocketEvents } from './message-socket.ts';
import { brief } from './raw-frames.testkit.ts';
import { answerUpgrade, requestUpgrade } from './upgrade.ts';
import type { WebSocketError } from './websocket-error.ts';

export const SUBPROTOCOL = 'test';
/** Both ends of a WebSocket by whether they dialled, for tests of either. */
export const ROLES = [
  { role: 'client', dialled: true },
  { role: 'server', dialled: false },
] as const;

const NEVER = new AbortController().signal;

/** An HTTP server that is asked for upgrades. Its port; it ends with the test, whatever became of its connections. */
export async function listen(
  t: TestContext,
  upgrade: (request: IncomingMessage, socket: Socket, head: Buffer) => void,
): Promise<number> {
  const server = createServer();
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => upgrade(request, socket, head));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

/** A connection to it, which ends with the test. */
export function dialled(t: TestContext, port: number, allowHalfOpen = false): Socket {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen });
  t.after(() => socket.destroy());
  return socket;
}

export function upgraded(socket: Socket, port: number, signal = NEVER): Promise<Buffer> {
  return requestUpgrade({ host: '127.0.0.1', port, path: '/', subprotocol: SUBPROTOCOL, socket, signal });
}

export interface BareEnd {
  socket: Socket;
  /** What came behind the upgrade already. */
  head: Buffer;
}

/** A WebSocket of which both ends are bare. The far one stays open when the near one ends, whichever of them dialled. */
export async function bareEnds(t: TestContext, isDialled: boolean): Promise<BareEnd & { far: Socket }> {
  let answered: (server: BareEnd) => void;
  const accepted = new Promise<BareEnd>((resolve) => (answered = resolve));
  const port = await listen(t, (request, socket, head) => {
    if (answerUpgrade(request, socket, SUBPROTOCOL)) answered({ socket, head });
  });
  const socket = dialled(t, port, !isDialled);
  const client = { socket, head: await upgraded(socket, port) };
  const server = await accepted;
  const [near, far] = isDialled ? [client, server.socket] : [server, socket];
  far.on('error', () => {});
  return { ...near, far };
}

/** A WebSocket with a bare end, and `ws` at the other one. */
export async function againstWs(t: TestContext, isDialled: boolean): Promise<BareEnd & { ws: WebSocket }> {
  if (isDialled) {
    const library = new WebSocketServer({ noServer: true });
    let answered: (ws: WebSocket) => void;
    const ws = new Promise<WebSocket>((resolve) => (answered = resolve));
    const port = await listen(t, (request, socket, head) => library.handleUpgrade(request, socket, head, answered));
    const socket = dialled(t, port);
    return { socket, head: await upgraded(socket, port), ws: quiet(await ws) };
  }
  let answered: (server: BareEnd) => void;
  const server = new Promise<BareEnd>((resolve) => (answered = resolve));
  const port = await listen(t, (request, socket, head) => {
    if (answerUpgrade(request, socket, SUBPROTOCOL)) answered({ socket, head });
  });
  const ws = quiet(new WebSocket(`ws://127.0.0.1:${port}`, SUBPROTOCOL));
  t.after(() => ws.terminate());
  const opened = new Promise((resolve) => ws.once('open', resolve));
  const bare = await server;
  await opened;
  return { ...bare, ws };
}

/** What the test does not ask for is no error. */
function quiet(ws: WebSocket): WebSocket {
  return ws.on('error', () => {});
}

/** What the library heard. Messages in brief. */
export class WsEnd {
  readonly messages: string[] = [];
  readonly pongs: string[] = [];
  /** What it says of the end: 1006 where nothing was said before the end, 1005 where no code was. */
  closed: [code: number, message: string] | undefined;

  constructor(ws: WebSocket) {
    ws.on('message', (message: Buffer) => this.messages.push(brief(message)));
    ws.on('pong', (body) => this.pongs.push(body.toString()));
    ws.on('close', (code, message) => (this.closed = [code, message.toString()]));
  }
}

/** What our own end told. Messages in brief. */
export class Recorder implements MessageSocketEvents {
  readonly messages: string[] = [];
  readonly closings: [code: number | undefined, message: string][] = [];
  readonly errors: WebSocketError[] = [];
  drains = 0;

  message(message: Buffer): void {
    this.messages.push(brief(message));
  }
  drained(): void {
    this.drains++;
  }
  broke(error: WebSocketError): void {
    this.errors.push(error);
  }
  closed(code: number | undefined, message: string): void {
    this.closings.push([code, message]);
  }
}
