/** One exchange with an API server under its limits: every way to fail is one sentence. */
import { type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { CaravanError } from '../errors.ts';
import { connectionError, noAnswer } from './api-errors.ts';
import type { CallOptions } from './types.ts';

/** How long a whole call may take. Milliseconds. */
export const CALL_TIMEOUT_MS = 10_000;
/** How long reaching the API server may take. Milliseconds. */
export const CONNECT_TIMEOUT_MS = 5_000;
/** An answer larger than this is refused. Bytes. */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export interface ExchangeLimits extends CallOptions {
  /** For people: `context west`. */
  where: string;
  /** A watch: once its head is there, only the signal ends it. */
  endless: boolean;
}

/** Resolves when the answer's head is there, whatever its status. */
export function exchange(
  url: URL,
  options: RequestOptions,
  body: Buffer | undefined,
  limits: ExchangeLimits,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { signal, where, endless, timeoutMs = CALL_TIMEOUT_MS } = limits;
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, options);
    let received: IncomingMessage | undefined;
    const end = (error: Error) => {
      // Once there is an answer, whoever reads it is to get the error.
      received?.destroy(error);
      request.destroy(error);
    };
    const giveUp = (limit: number) => end(noAnswer(where, url.origin, limit));
    const connecting = setTimeout(giveUp, Math.min(CONNECT_TIMEOUT_MS, timeoutMs), Math.min(CONNECT_TIMEOUT_MS, timeoutMs));
    const whole = setTimeout(giveUp, timeoutMs, timeoutMs);
    const abort = () => end(signal?.reason as Error);
    signal?.addEventListener('abort', abort, { once: true });
    const release = () => {
      clearTimeout(connecting);
      clearTimeout(whole);
      signal?.removeEventListener('abort', abort);
    };
    request.on('socket', (socket) => {
      const isTls = 'encrypted' in socket;
      if (request.reusedSocket || (!isTls && !socket.connecting)) clearTimeout(connecting);
      else socket.once(isTls ? 'secureConnect' : 'connect', () => clearTimeout(connecting));
    });
    request.on('response', (answer) => {
      received = answer;
      clearTimeout(connecting);
      // A watch has no end of its own: it is under its signal alone from here on.
      if (endless) {
        clearTimeout(whole);
        answer.socket.setKeepAlive(true, 30_000);
      }
      answer.once('close', release);
      resolve(answer);
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      release();
      if (signal?.aborted) reject(signal.reason as Error);
      else if (request.reusedSocket && error.code === 'ECONNRESET') reject(new StaleSocket());
      else reject(connectionError(error, where, url.origin));
    });
    request.end(body);
  });
}

/** A connection that was kept from an earlier call turned out to be dead before it carried anything: try again. */
export class StaleSocket extends Error {}

/** A whole body. */
export async function readText(answer: IncomingMessage, where: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES)
        throw new CaravanError('unreachable', `An answer of ${where} is larger than ${MAX_ANSWER_BYTES} bytes.`);
      chunks.push(chunk);
    }
  } catch (error) {
    // What was thrown on purpose (a limit, the caller's own signal) has no such code.
    if (error instanceof CaravanError || typeof (error as NodeJS.ErrnoException).code !== 'string') throw error;
    throw connectionError(error, where, 'its API server');
  }
  return Buffer.concat(chunks).toString();
}
