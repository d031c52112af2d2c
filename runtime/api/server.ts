/** The management API: JSON over HTTP at a socket of this user, or on a pod's loopback. What it serves is a `SiteControl`. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { CaravanError, type ErrorCode, sentence } from '../errors.ts';
import type { Log } from '../log.ts';
import { MAX_BODY_BYTES } from './bodies.ts';
import { listenOnSocket } from './claim.ts';
import type { SiteControl } from './control.ts';
import { Holds } from './holds.ts';
import { sendMetrics } from './metrics.ts';
import { findRoute } from './routes.ts';
import type { ApiErrorBody } from './types.ts';
import { KEEP_ALIVE_MS, writeStatusLines } from './watch.ts';

/** What a too large body may still send before it is answered: a client that writes first and reads then gets to its answer. Bytes. */
const MAX_DISCARDED_BYTES = 16 * MAX_BODY_BYTES;
/** By which names a pod's own loopback is asked, whatever the port is here: a page whose host name was made to lead here sends its own. */
const OWN_HOST = /^(127\.0\.0\.1|localhost|caravan)(:\d+)?$/i;
/** How long calls that run when the server closes may take to end. Milliseconds. */
const CLOSE_MS = 2000;

const HTTP_STATUS: Partial<Record<ErrorCode, number>> = {
  'bad-request': 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'not-running': 503,
  'not-saved': 500,
  unreachable: 502,
  timeout: 504,
};

export interface ApiServerOptions {
  /** Called once after somebody asked the site to stop and was answered. */
  stop?: () => void;
  log?: Log;
  /** For tests; default 15 s. */
  keepAliveMs?: number;
}

export class ApiServer {
  readonly #options: ApiServerOptions;
  readonly #servers: Server[] = [];
  readonly #watchers = new Set<ServerResponse>();
  readonly #holds: Holds;
  #control: SiteControl | undefined;

  constructor(options: ApiServerOptions = {}) {
    this.#options = options;
    this.#holds = new Holds(options.log, options.keepAliveMs ?? KEEP_ALIVE_MS);
  }

  /** From now on calls reach `control`; before, each is answered that the site is still starting. */
  attach(control: SiteControl): void {
    this.#control = control;
  }

  /** Throws `conflict` where a site already runs at the socket. */
  async listenOnSocket(path: string): Promise<void> {
    await listenOnSocket(this.#newServer(), path);
  }

  /** For a pod, whose loopback only its own containers and a port-forward reach. Resolves to the port. */
  async listenOnPort(port: number, host = '127.0.0.1'): Promise<number> {
    const server = this.#newServer((request) => {
      if (!OWN_HOST.test(request.headers.host ?? ''))
        throw new CaravanError('forbidden', 'The management API answers to 127.0.0.1, localhost and caravan only.');
    });
    await new Promise<void>((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException) =>
        reject(new CaravanError('conflict', `Port ${port} of ${host} cannot be had for the management API: ${error.code}.`));
      server.once('error', failed).listen(port, host, resolve);
    });
    const bound = server.address();
    return typeof bound === 'object' && bound ? bound.port : port;
  }

  /** Ends the watches, lets calls that run end, then cuts what is left. */
  async close(): Promise<void> {
    for (const watcher of this.#watchers) watcher.end();
    this.#holds.close();
    const closing = this.#servers.map((server) => {
      const cut = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
      return new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }).finally(() => clearTimeout(cut));
    });
    await Promise.all(closing);
  }

  /** @param check throws for requests that are not to be answered */
  #newServer(check?: (request: IncomingMessage) => void): Server {
    const server = createServer({ requestTimeout: 30_000 }, (request, response) => void this.#answer(request, response, check));
    this.#servers.push(server);
    return server;
  }

  async #answer(request: IncomingMessage, response: ServerResponse, check?: (request: IncomingMessage) => void): Promise<void> {
    try {
      check?.(request);
      const path = (request.url ?? '/').split('?')[0]!;
      const method = request.method ?? 'GET';
      // A page in a browser that guessed the port must not steer the network; only browsers send Origin.
      if (request.headers.origin !== undefined) throw new CaravanError('forbidden', 'Web pages may not use the management API.');
      const body = await readBody(request);
      if (method === 'POST' && path === '/v1/stop') return this.#stop(response);
      if (!this.#control) throw new CaravanError('not-running', 'The site is still starting: try again in a moment.');
      if (method === 'GET' && path === '/v1/watch') return this.#watch(this.#control, response);
      if (method === 'GET' && path === '/v1/metrics') return sendMetrics(response, this.#control.status());
      const route = findRoute(method, path);
      if (!route) throw new CaravanError('not-found', `The management API has no ${method} ${path}: see docs/api.md.`);
      const { status, body: answer, intercept } = await route.handler(this.#control, body, route.name);
      if (intercept?.hold) return this.#holds.hold(this.#control, response, intercept.made);
      if (intercept) this.#holds.release(intercept.made);
      send(response, status, answer);
    } catch (error) {
      this.#fail(response, error);
    }
  }

  #watch(control: SiteControl, response: ServerResponse): void {
    this.#watchers.add(response);
    response.once('close', () => this.#watchers.delete(response));
    writeStatusLines(control, response, this.#options.keepAliveMs ?? KEEP_ALIVE_MS);
  }

  #stop(response: ServerResponse): void {
    const { stop } = this.#options;
    if (!stop) throw new CaravanError('forbidden', 'This site is not stopped through its API: stop what started it.');
    // Whoever stops a site on purpose wants nothing kept for it; a site that is signalled may be back in a moment.
    void this.#control?.leave();
    response.once('close', stop);
    send(response, 202, {});
  }

  #fail(response: ServerResponse, error: unknown): void {
    if (response.destroyed) return; // the caller went away in the middle
    const known = error instanceof CaravanError;
    if (!known)
      this.#options.log?.error('a call of the management API met a defect', { error: (error as Error)?.stack ?? error });
    const body: ApiErrorBody = known
      ? { code: error.code, message: error.message }
      : {
          code: 'internal',
          message: `The site could not do that because of a defect in it: ${sentence(error)}. Its log tells more.`,
        };
    if (response.headersSent) response.destroy();
    else send(response, known ? (HTTP_STATUS[error.code] ?? 422) : 500, body);
  }
}

function send(response: ServerResponse, status: number, body?: unknown): void {
  const text = body === undefined ? '' : JSON.stringify(body);
  const headers = text === '' ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  response.writeHead(status, { ...headers, 'cache-control': 'no-store' }).end(text);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_DISCARDED_BYTES) break;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  if (size > MAX_BODY_BYTES)
    throw new CaravanError('bad-request', `The request is larger than ${MAX_BODY_BYTES} bytes: send less at a time.`);
  return Buffer.concat(chunks).toString('utf8');
}
