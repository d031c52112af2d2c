import type { RequestOptions } from 'node:http';
import { WebSocket } from 'ws';
import { apiError, connectionError, noAnswer } from './api-errors.ts';
import { CALL_TIMEOUT_MS } from './http.ts';
import type { CallOptions } from './types.ts';

/** A WebSocket to the API server, open and paused: whoever listens to it resumes it. Rejects with one sentence. */
export function openWebSocket(
  { url, options }: { url: string; options: RequestOptions },
  protocols: string[],
  where: string,
  call: CallOptions,
): Promise<WebSocket> {
  const { signal, timeoutMs = CALL_TIMEOUT_MS } = call;
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const { origin } = new URL(url);
    const socket = new WebSocket(url, protocols, { ...options, perMessageDeflate: false, maxPayload: 64 * 1024 * 1024 });
    const timer = setTimeout(() => fail(noAnswer(where, origin, timeoutMs)), timeoutMs);
    const abort = () => fail(signal!.reason as Error);
    const release = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    const fail = (error: Error) => {
      release();
      // `terminate` before the connection stands makes an error event of its own.
      socket
        .removeAllListeners()
        .on('error', () => undefined)
        .terminate();
      reject(error);
    };
    signal?.addEventListener('abort', abort, { once: true });
    socket.on('error', (error) => fail(connectionError(error, where, origin)));
    socket.on('unexpected-response', (_request, answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => fail(apiError(answer.statusCode ?? 0, Buffer.concat(chunks).toString(), where)));
    });
    socket.on('open', () => {
      release();
      socket.removeAllListeners();
      // Nothing may be lost between here and the stream's own listeners.
      socket.pause();
      resolve(socket);
    });
  });
}
