import { type Agent, type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import { sentence } from '../../errors.ts';
import { StreamError } from '../../link/reason.ts';
import type { Server } from '../listener.ts';
import type { Call, CallEvents } from './call.ts';
import { type Failure, unreached } from './failure.ts';
import { fieldOf, type Fields, withoutHopByHop } from './fields.ts';
import { addTrailers, plain } from './http1-fields.ts';
import type { Limits } from './limits.ts';

/** A request to a server that speaks HTTP/1.1. `ended`: it has no body, and no trailers. */
export class Http1Call implements Call {
  readonly body: ClientRequest;
  readonly #server: Server;
  #error: Error | undefined;
  #isWhole = false;

  constructor(
    { agent, limits }: { agent: Agent; limits: Limits },
    server: Server,
    { fields, ended }: { fields: Fields; ended: boolean },
    events: CallEvents,
  ) {
    this.#server = server;
    const method = fieldOf(fields, ':method') ?? 'GET';
    if (method === 'CONNECT') throw new Error('CONNECT does not pass to a server of HTTP/1.1');
    this.body = request({
      agent,
      method,
      path: fieldOf(fields, ':path') ?? '/',
      headers: headersOf(fields, ended),
      setHost: false,
      maxHeaderSize: limits.headerBytes,
    });
    this.body.on('error', (error) => (this.#error = error));
    this.body.on('information', ({ statusCode, headers }) => {
      if (statusCode !== 101) events.informed({ ...fieldsOf(headers), ':status': statusCode });
    });
    this.body.once('response', (response) => this.#follow(response, events));
    this.body.once('close', () => events.closed(this.#isWhole ? undefined : this.#failure()));
    if (ended) this.body.end();
  }

  end(trailers: Fields | undefined): void {
    // Without chunks there is no place for them.
    if (trailers && this.body.hasHeader('transfer-encoding')) addTrailers(this.body, plain(trailers));
    this.body.end();
  }

  cancel(): void {
    this.body.destroy();
  }

  #follow(response: IncomingMessage, events: CallEvents): void {
    response.on('error', (error) => (this.#error ??= error));
    response.once('end', () => {
      if (!response.complete) return;
      this.#isWhole = true;
      const trailers = fieldsOf(response.trailers);
      events.ended(Object.keys(trailers).length > 0 ? trailers : undefined);
    });
    events.responded({ ...fieldsOf(response.headers), ':status': response.statusCode }, false, response);
  }

  #failure(): Failure {
    const error = this.#error;
    if (error instanceof StreamError && !this.body.socket) return unreached(error, this.#server);
    const why = error ? sentence(error) : 'the connection was closed';
    const reason = `at ${this.#server.site}, ${this.#server.target} gave no whole answer in HTTP/1.1 (${why})`;
    return { status: 502, reason, untouched: false, onAnother: this.body.reusedSocket };
  }
}

function headersOf(fields: Fields, ended: boolean): OutgoingHttpHeaders {
  const headers = plain(fields);
  headers['host'] = fieldOf(fields, ':authority') ?? fieldOf(fields, 'host') ?? '';
  // HTTP/2 may send each cookie as a field of its own (RFC 9113, section 8.2.3).
  const cookies = headers['cookie'];
  if (Array.isArray(cookies)) headers['cookie'] = cookies.join('; ');
  if (!ended && headers['content-length'] === undefined) headers['transfer-encoding'] = 'chunked';
  // The one who takes trailers says so to the next hop only (RFC 9110, section 10.1.4).
  if (headers['te'] !== undefined) headers['connection'] = 'te';
  return headers;
}

function fieldsOf(headers: NodeJS.Dict<string | string[]>): Fields {
  const fields: Fields = { ...headers };
  withoutHopByHop(fields);
  return fields;
}
