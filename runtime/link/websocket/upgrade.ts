import { createHash, randomBytes } from 'node:crypto';
import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import type { Duplex } from 'node:stream';

/** RFC 6455, section 4.1. */
const VERSION = '13';
/** RFC 6455, section 1.3: what the answer's key is made with, so that it shows that the server knows WebSockets. */
const ACCEPT_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** How long a client that was refused may take to read that. Milliseconds. */
const REFUSED_WITHIN_MS = 1000;
/** 16 bytes in base64. */
const KEY = /^[A-Za-z0-9+/]{22}==$/;

export interface UpgradeRequest {
  /** As a URL has it. */
  host: string;
  /** Left out where it is the URL's own. */
  port?: number;
  path: string;
  subprotocol: string;
  /** A connection on which nothing was sent yet; it is destroyed where there is no upgrade. */
  socket: Duplex;
  signal: AbortSignal;
}

/** The other end answered in HTTP, with something else than an upgrade. */
export class UpgradeRefused extends Error {
  override readonly name = 'UpgradeRefused';
  readonly status: number;

  constructor(status: number) {
    super(`the other end answers ${status}`);
    this.status = status;
  }
}

/**
 * Asks the server at the other end for a WebSocket (RFC 6455, section 4.1). Resolves to what came behind its answer already. Rejects with
 * `UpgradeRefused`, or with an error that says what the connection or the answer lacks.
 */
export function requestUpgrade({ host, port, path, subprotocol, socket, signal }: UpgradeRequest): Promise<Buffer> {
  const key = randomBytes(16).toString('base64');
  return new Promise((resolve, reject) => {
    const request: ClientRequest = httpRequest({
      createConnection: () => socket,
      path,
      signal,
      headers: {
        Host: port === undefined ? host : `${host}:${port}`,
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': VERSION,
        'Sec-WebSocket-Key': key,
        'Sec-WebSocket-Protocol': subprotocol,
      },
    });
    const fail = (error: Error) => {
      reject(error);
      socket.destroy();
    };
    request.on('error', fail);
    request.on('response', ({ statusCode }) => fail(new UpgradeRefused(statusCode!)));
    request.on('upgrade', ({ headers }, _socket, head) => {
      const isAgreed =
        headers.upgrade?.toLowerCase() === 'websocket' &&
        headers['sec-websocket-accept'] === acceptKey(key) &&
        headers['sec-websocket-protocol'] === subprotocol &&
        headers['sec-websocket-extensions'] === undefined;
      if (isAgreed) resolve(head);
      else fail(new Error(`the other end does not speak ${subprotocol}`));
    });
    request.end();
  });
}

/** Answers a client that asks for a WebSocket (RFC 6455, section 4.2). False where it was refused, and the connection ended. */
export function answerUpgrade({ method, headers }: IncomingMessage, socket: Duplex, subprotocol: string): boolean {
  const key = headers['sec-websocket-key'];
  const offered = headers['sec-websocket-protocol']?.split(',').map((each) => each.trim());
  if (headers['sec-websocket-version'] !== VERSION)
    return refuseUpgrade(socket, '426 Upgrade Required', `Sec-WebSocket-Version: ${VERSION}`);
  if (
    method !== 'GET' ||
    headers.upgrade?.toLowerCase() !== 'websocket' ||
    !key ||
    !KEY.test(key) ||
    !offered?.includes(subprotocol)
  )
    return refuseUpgrade(socket, '400 Bad Request');
  socket.write(
    headOf('101 Switching Protocols', [
      'Connection: Upgrade',
      'Upgrade: websocket',
      `Sec-WebSocket-Accept: ${acceptKey(key)}`,
      `Sec-WebSocket-Protocol: ${subprotocol}`,
    ]),
  );
  return true;
}

/** Says why there is no WebSocket, and ends the connection, also where the client does not. `status`: code and phrase. */
export function refuseUpgrade(socket: Duplex, status: string, ...fields: string[]): false {
  socket.on('error', () => {});
  // What the client has sent already is read: a connection that is closed before that is reset, and the answer may be lost.
  socket.resume();
  socket.end(headOf(status, [...fields, 'Connection: close', 'Content-Length: 0']));
  setTimeout(() => socket.destroy(), REFUSED_WITHIN_MS).unref();
  return false;
}

function headOf(status: string, fields: string[]): string {
  return [`HTTP/1.1 ${status}`, ...fields, '', ''].join('\r\n');
}

function acceptKey(key: string): string {
  return createHash('sha1')
    .update(key + ACCEPT_GUID)
    .digest('base64');
}
