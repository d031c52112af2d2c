/** A request and its answer at the port for links: JSON over HTTP/1.1, one to a connection. */
import { type IncomingMessage, request as httpRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { readAll } from '../api/read-all.ts';
import type { ApiErrorBody } from '../api/types.ts';
import { CaravanError, isErrorCode } from '../errors.ts';
import { printable } from '../words.ts';

/** Of a request and of its answer. */
const MAX_BODY_BYTES = 64 * 1024;

export interface Answer {
  status: number;
  body: string;
}

/** Rejects, and leaves no socket behind, when the signal is aborted, whatever has arrived until then. */
export async function post(socket: Duplex, path: string, content: object, signal: AbortSignal): Promise<Answer> {
  const abort = () => socket.destroy(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    const body = JSON.stringify(content);
    return await new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), connection: 'close' };
      const request = httpRequest(
        { createConnection: () => socket, method: 'POST', path, headers, setDefaultHeaders: true },
        (response) => {
          readBody(response).then((text) => resolve({ status: response.statusCode ?? 0, body: text }), reject);
        },
      );
      request.on('error', reject);
      request.end(body);
    });
  } finally {
    signal.removeEventListener('abort', abort);
    socket.destroy();
  }
}

/** Why the other site does not do it, in its own words; `otherwise` where it does not say. */
export function refusal({ body }: Answer, otherwise: string): CaravanError {
  const { code, message } = (parseJson(body) ?? {}) as Partial<ApiErrorBody>;
  if (typeof message !== 'string' || message === '') return new CaravanError('bad-request', otherwise);
  return new CaravanError(isErrorCode(code) ? code : 'bad-request', printable(message.slice(0, 500)));
}

/** Undefined for what is no JSON. */
export function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

export function readBody(message: IncomingMessage): Promise<string> {
  const tooLarge = () => new CaravanError('bad-request', `The message is larger than ${MAX_BODY_BYTES} bytes.`);
  return readAll(message, MAX_BODY_BYTES, tooLarge);
}
