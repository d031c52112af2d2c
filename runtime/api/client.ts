/** Asks a running site, over its socket or any other connection to its management API. The extension bundles this: keep it small. */
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { connect as connectSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import { CaravanError, type ErrorCode, sentence } from '../errors.ts';
import { readLines } from './lines.ts';
import { readAll } from './read-all.ts';
import { isOwnSocket } from './sockets.ts';
import type {
  ApiErrorBody,
  Explanation,
  ExposeRequest,
  InterceptRequest,
  IssuedToken,
  IssueTokenRequest,
  ListenRequest,
  MadeIntercept,
  MadeResource,
  ProxyRequest,
  ProxyStatus,
  RedeemedLink,
  RedeemTokenRequest,
  Status,
} from './types.ts';

/** Opens one connection to the management API. Rejects with a `CaravanError` where nobody is there. */
export type ConnectToApi = (signal?: AbortSignal) => Promise<Duplex>;

/** How long a call may take. Milliseconds. */
const CALL_MS = 10_000;
/** Redeeming asks another site, which may be far away. Milliseconds. */
const REDEEM_MS = 30_000;
/** The server sends something every 15 s; silence for three times that means that the connection is dead. Milliseconds. */
const SILENCE_MS = 45_000;
/** An answer larger than this is refused. Bytes. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

const FOLDER: Record<MadeResource['kind'], string> = { Link: 'links', Listener: 'listeners', Connector: 'connectors' };

interface Call {
  body?: unknown;
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
}

/**
 * Makes a request use a connection that is there. VS Code gives every request in its extension host an agent of its own, which would dial
 * anew; it leaves alone those that name a `socketPath`, and Node asks `createConnection` first.
 */
function over(socket: Duplex): { socketPath: string; createConnection: () => Duplex } {
  return { socketPath: 'caravan', createConnection: () => socket };
}

/** Every call opens its own connection. Errors are `CaravanError`s with the site's code and sentence. */
export class ApiClient {
  readonly #connect: ConnectToApi;

  constructor(connect: ConnectToApi) {
    this.#connect = connect;
  }

  /** `path`: a socket, or a named pipe on Windows. Calls reject with `not-running` while nobody answers there. */
  static overSocket(path: string): ApiClient {
    return new ApiClient((signal) => dial(path, signal));
  }

  status(signal?: AbortSignal): Promise<Status> {
    return this.#call('GET', '/v1/status', { signal });
  }

  /**
   * The status now and after every change. Ends when the signal is aborted or the site stops; throws `not-running` where nobody
   * answers, and `unreachable` when the connection breaks or falls silent.
   */
  async *watch(signal?: AbortSignal): AsyncGenerator<Status, void, undefined> {
    const inner = new AbortController();
    const signals = signal ? AbortSignal.any([signal, inner.signal]) : inner.signal;
    try {
      const response = await this.#send('GET', '/v1/watch', {}, signals, CALL_MS);
      for await (const line of readLines(response, SILENCE_MS)) {
        if (signal?.aborted) return;
        yield JSON.parse(line) as Status;
      }
    } catch (error) {
      if (signal?.aborted) return;
      throw error instanceof CaravanError
        ? error
        : new CaravanError('unreachable', `The connection to the site broke: ${sentence(error)}.`);
    } finally {
      inner.abort();
    }
  }

  /** In Prometheus' text format. */
  async metrics(signal: AbortSignal = AbortSignal.timeout(CALL_MS)): Promise<string> {
    return answerOf(await this.#send('GET', '/v1/metrics', undefined, signal));
  }

  explain(address: string, signal?: AbortSignal): Promise<Explanation> {
    return this.#call('GET', `/v1/explain/${encodeURIComponent(address)}`, { signal });
  }

  issueToken(request: IssueTokenRequest = {}, signal?: AbortSignal): Promise<IssuedToken> {
    return this.#call('POST', '/v1/tokens', { body: request, signal });
  }

  redeemToken(request: RedeemTokenRequest, signal?: AbortSignal): Promise<RedeemedLink> {
    return this.#call('POST', '/v1/links', { body: request, timeoutMs: REDEEM_MS, signal });
  }

  expose(request: ExposeRequest, signal?: AbortSignal): Promise<MadeResource> {
    return this.#call('POST', '/v1/connectors', { body: request, signal });
  }

  intercept(request: InterceptRequest, signal?: AbortSignal): Promise<MadeIntercept> {
    return this.#call('POST', '/v1/intercepts', { body: request, signal });
  }

  /**
   * Intercepts until the signal aborts, this process ends or the connection breaks: nobody has to take it back.
   *
   * @param lost Called where it ended and the signal is not aborted: the site is gone.
   */
  async interceptWhile(request: InterceptRequest, signal: AbortSignal, lost: () => void = () => {}): Promise<MadeIntercept> {
    const response = await this.#send('POST', '/v1/intercepts', { ...request, hold: true }, signal, CALL_MS);
    const lines = readLines(response, SILENCE_MS);
    const { value } = await lines.next();
    if (value === undefined) throw new CaravanError('unreachable', 'The connection to the site broke: it was closed.');
    // What comes after it only tells that the site lives; read, or the connection would stop.
    const ended = () => void (signal.aborted || lost());
    lines.next().then(ended, ended);
    return JSON.parse(value) as MadeIntercept;
  }

  listen(request: ListenRequest, signal?: AbortSignal): Promise<MadeResource> {
    return this.#call('POST', '/v1/listeners', { body: request, signal });
  }

  async remove({ kind, name }: MadeResource, signal?: AbortSignal): Promise<void> {
    await this.#call('DELETE', `/v1/${FOLDER[kind]}/${encodeURIComponent(name)}`, { signal });
  }

  openProxy(request: ProxyRequest = {}, signal?: AbortSignal): Promise<ProxyStatus> {
    return this.#call('POST', '/v1/proxy', { body: request, signal });
  }

  async closeProxy(signal?: AbortSignal): Promise<void> {
    await this.#call('DELETE', '/v1/proxy', { signal });
  }

  /** Resolves to the number of certificates that are worth nothing now. */
  async revoke(site: string, signal?: AbortSignal): Promise<number> {
    const { revoked } = await this.#call<{ revoked: number }>('POST', '/v1/revoke', { body: { site }, signal });
    return revoked;
  }

  /** Tells the network that the site ends for good; it runs on. */
  async leave(signal?: AbortSignal): Promise<void> {
    await this.#call('POST', '/v1/leave', { signal });
  }

  /** Resolves once the site has heard it; it drains after that. */
  async stop(signal?: AbortSignal): Promise<void> {
    await this.#call('POST', '/v1/stop', { signal });
  }

  async #call<T>(method: string, path: string, { body, timeoutMs = CALL_MS, signal }: Call): Promise<T> {
    const limit = AbortSignal.timeout(timeoutMs);
    const signals = signal ? AbortSignal.any([signal, limit]) : limit;
    try {
      return parse(await answerOf(await this.#send(method, path, body, signals))) as T;
    } catch (error) {
      if (error instanceof CaravanError && error.code !== 'unreachable') throw error;
      signal?.throwIfAborted();
      if (limit.aborted)
        throw new CaravanError('timeout', `The site did not answer within ${timeoutMs / 1000} s: try again, or restart it.`);
      throw error instanceof CaravanError
        ? error
        : new CaravanError('unreachable', `The connection to the site broke: ${sentence(error)}.`);
    }
  }

  /** Resolves to an answer of 2xx; any other becomes the error that its body tells. `answerMs` limits the wait for the head only. */
  async #send(method: string, path: string, body: unknown, signal: AbortSignal, answerMs?: number): Promise<IncomingMessage> {
    signal.throwIfAborted();
    const socket = await this.#connect(signal);
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = { host: 'caravan', 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = httpRequest({ method, path, headers, signal, ...over(socket) });
      const late = () =>
        request.destroy(
          new CaravanError('timeout', `The site did not answer within ${CALL_MS / 1000} s: try again, or restart it.`),
        );
      const limit = answerMs === undefined ? undefined : setTimeout(late, answerMs);
      request.once('response', (answer) => {
        clearTimeout(limit);
        resolve(answer);
      });
      request.on('error', (error) => {
        clearTimeout(limit);
        socket.destroy();
        reject(error);
      });
      request.end(text);
    });
    response.once('close', () => socket.destroy());
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    throw toError(status, await answerOf(response));
  }
}

function toError(status: number, text: string): CaravanError {
  const body = parse(text) as Partial<ApiErrorBody> | undefined;
  if (typeof body?.code === 'string' && typeof body.message === 'string')
    return new CaravanError(body.code as ErrorCode, body.message);
  return new CaravanError('unreachable', `What answered is not a site of Caravan (HTTP ${status}): check the socket or port.`);
}

function parse(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    throw new CaravanError('unreachable', 'What answered is not a site of Caravan: check the socket or port.');
  }
}

function answerOf(response: IncomingMessage): Promise<string> {
  const tooLarge = () => new CaravanError('unreachable', `The answer is larger than ${MAX_ANSWER_BYTES} bytes.`);
  return readAll(response, MAX_ANSWER_BYTES, tooLarge);
}

function dial(path: string, signal?: AbortSignal): Promise<Duplex> {
  if (!isOwnSocket(path))
    return Promise.reject(new CaravanError('forbidden', `The socket ${path} was not made by this user: it is not talked to.`));
  return new Promise((resolve, reject) => {
    const socket = connectSocket(path);
    const abort = () => socket.destroy(signal?.reason as Error);
    signal?.addEventListener('abort', abort, { once: true });
    socket.once('connect', () => {
      signal?.removeEventListener('abort', abort);
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      signal?.removeEventListener('abort', abort);
      reject(signal?.aborted ? (signal.reason as Error) : notRunning(path, error));
    });
  });
}

function notRunning(path: string, error: NodeJS.ErrnoException): CaravanError {
  const why =
    { EACCES: 'you may not use it', EINVAL: 'the path is too long' }[error.code ?? ''] ?? 'start one with "caravan run"';
  return new CaravanError('not-running', `No site runs at ${path}: ${why}.`, { cause: error });
}
