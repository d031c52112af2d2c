import { type Agent, type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import { sentence } from '../../errors.ts';
import { StreamError } from '../../link/reason.ts';
import type { Server } from '../listener.ts';
import type { Call, CallEvents, CallRequest } from './call.ts';
import { type Failure, unreached } from './failure.ts';
import { field, fieldOf, type Fields } from './field.ts';
import { withoutHopByHop } from './fields.ts';
import { BodyReader, writeTo } from './http1-body.ts';
import { addTrailers, fieldsOf, plain } from './http1-fields.ts';
import type { Limits } from './limits.ts';

/** A request to a server that speaks HTTP/1.1. */
export class Http1Call implements Call {
  readonly #request: ClientRequest;
  readonly #server: Server;
  readonly #events: CallEvents;
  #body: BodyReader | undefined;
  #error: Error | undefined;
  #isWhole = false;

  constructor(
    { agent, limits }: { agent: Agent; limits: Limits },
    server: Server,
    { fields, ended }: CallRequest,
    events: CallEvents,
    answered: () => void,
  ) {
    this.#server = server;
    this.#events = events;
    const method = fieldOf(fields, ':method') ?? 'GET';
    if (method === 'CONNECT') throw new Error('CONNECT does not pass to a server of HTTP/1.1');
    this.#request = request({
      agent,
      method,
      path: fieldOf(fields, ':path') ?? '/',
      headers: headersOf(fields, ended),
      setHost: false,
      maxHeaderSize: limits.headerBytes,
    });
    this.#request.on('error', (error) => (this.#error = error));
    this.#request.on('information', ({ statusCode, headers }) => {
      if (statusCode !== 101) events.informed(answerOf(statusCode, headers));
    });
    this.#request.once('response', (response) => {
      answered();
      this.#follow(response);
    });
    this.#request.once('close', () => events.callClosed(this.#isWhole ? undefined : this.#failure()));
    if (ended) this.#request.end();
  }

  write(chunk: Buffer): void {
    writeTo(this.#request, chunk, (bytes) => this.#events.asked(bytes));
  }

  taken(bytes: number): void {
    this.#body?.taken(bytes);
  }

  end(trailers: Fields | undefined): void {
    if (this.#request.destroyed || this.#request.writableEnded) return;
    // Without chunks there is no place for them.
    if (trailers && this.#request.hasHeader('transfer-encoding')) addTrailers(this.#request, plain(trailers));
    this.#request.end();
  }

  cancel(): void {
    this.#request.destroy();
  }

  #follow(response: IncomingMessage): void {
    const events = this.#events;
    response.on('error', (error) => (this.#error ??= error));
    response.once('end', () => {
      if (!response.complete) return;
      this.#isWhole = true;
      const trailers = withoutHopByHop(fieldsOf(response.trailers));
      events.answerEnded(trailers.length > 0 ? trailers : undefined);
    });
    events.responded(answerOf(response.statusCode, response.headers), false);
    this.#body = new BodyReader(response, (chunk) => events.answered(chunk));
  }

  #failure(): Failure {
    const error = this.#error;
    if (error instanceof StreamError && !this.#request.socket) return unreached(error, this.#server);
    const why = error ? sentence(error) : 'the connection was closed';
    const reason = `at ${this.#server.site}, ${this.#server.target} gave no whole answer in HTTP/1.1 (${why})`;
    return { status: 502, reason, untouched: false, onAnother: this.#request.reusedSocket };
  }
}

function headersOf(fields: Fields, ended: boolean): OutgoingHttpHeaders {
  const headers = plain(fields);
  headers['host'] = fieldOf(fields, ':authority') ?? fieldOf(fields, 'host') ?? '';
  // HTTP/2 may send each cookie as a field of its own (RFC 9113, section 8.2.3).
  const cookies = headers['cookie'];
  if (Array.isArray(cookies)) headers['cookie'] = cookies.join('; ');
  if (!ended && headers['content-length'] === undefined) headers['transfer-encoding'] = 'chunked';
  // Without chunks there is no place for trailers, and Node refuses to announce them.
  else delete headers['trailer'];
  // The one who takes trailers says so to the next hop only (RFC 9110, section 10.1.4).
  if (headers['te'] !== undefined) headers['connection'] = 'te';
  return headers;
}

function answerOf(status: number | undefined, headers: NodeJS.Dict<string | string[]>): Fields {
  return [field(':status', String(status)), ...withoutHopByHop(fieldsOf(headers))];
}
