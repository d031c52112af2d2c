/** Real clients and servers of HTTP/2 on loopback. */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2';
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net';

export type Serve = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** A server, with the requests and the connections that it has seen. */
export class H2Server {
  serve: Serve;
  readonly #server: Http2Server;
  readonly sessions: ServerHttp2Session[] = [];
  readonly sockets = new Set<Socket>();
  readonly requests: IncomingHttpHeaders[] = [];

  private constructor(serve: Serve, options: ServerOptions) {
    this.serve = serve;
    this.#server = createServer(options);
    this.#server.on('session', (session) => {
      session.on('error', () => {});
      this.sessions.push(session);
    });
    this.#server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    this.#server.on('stream', (stream, headers) => {
      stream.on('error', () => {});
      this.requests.push(headers);
      this.serve(stream, headers);
    });
  }

  /** On the port that is given, else on a new one. */
  static async start(serve: Serve, options: ServerOptions = {}, port = 0): Promise<H2Server> {
    const server = new H2Server(serve, options);
    await new Promise<void>((resolve) => server.#server.listen(port, '127.0.0.1', resolve));
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Breaks all connections. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** As a process that is killed. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const session of this.sessions) if (!session.destroyed) session.destroy();
    this.cut();
    await closed;
  }
}

/** Answers with its name, and reads whatever it is sent. */
export function says(name: string): Serve {
  return (stream) => {
    stream.resume();
    stream.respond({ ':status': 200 });
    stream.end(name);
  };
}

export interface Answer {
  headers: IncomingHttpHeaders;
  informed: IncomingHttpHeaders[];
  body: string;
  trailers: IncomingHttpHeaders | undefined;
  /** The error code with which the stream was closed. */
  code: number;
}

export function dialHttp2(port: number, localAddress = '127.0.0.1'): ClientHttp2Session {
  const createConnection = (): Socket => connectTcp({ port, host: '127.0.0.1', localAddress });
  // What a test sends at once is queued here.
  const session = connect(`http://127.0.0.1:${port}`, { maxSessionMemory: 1000, createConnection });
  session.on('error', () => {});
  return session;
}

/** Asks, and resolves when the stream is closed, however that comes about. */
export function askHttp2(client: ClientHttp2Session, headers: OutgoingHttpHeaders = {}, body?: string | Buffer): Promise<Answer> {
  const stream = client.request(headers, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  return answerOf(stream);
}

export function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  const answer: Answer = { headers: {}, informed: [], body: '', trailers: undefined, code: 0 };
  stream.on('error', () => {});
  stream.on('headers', (headers) => answer.informed.push(headers));
  stream.on('response', (headers) => (answer.headers = headers));
  stream.on('trailers', (trailers) => (answer.trailers = trailers));
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => (answer.body += text));
  return new Promise((resolve) => {
    stream.once('close', () => resolve({ ...answer, code: stream.rstCode ?? 0 }));
  });
}

/** Resolves when the stream has its response, or is closed without one. */
export function responseOf(stream: ClientHttp2Stream): Promise<IncomingHttpHeaders | undefined> {
  stream.on('error', () => {});
  return new Promise((resolve) => {
    stream.once('response', resolve);
    stream.once('close', () => resolve(undefined));
  });
}
