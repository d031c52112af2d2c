/** What HTTP/2 is made of on the wire (RFC 9113, sections 4, 6, 7 and 11). */

export const HEADER_BYTES = 9;
/** A connection's first bytes, from the client. */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export const FrameType = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const Flag = { ack: 0x1, endStream: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

export const ErrorCode = {
  none: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  streamClosed: 5,
  frameSize: 6,
  refusedStream: 7,
  cancel: 8,
  compression: 9,
  enhanceYourCalm: 11,
} as const;

/** Before it is told otherwise, an end takes so much of a stream, and of all together, and frames of up to so much. Bytes. */
export const FIRST_WINDOW_BYTES = 65_535;
export const FRAME_BYTES = 16_384;
export const MAX_WINDOW_BYTES = 2 ** 31 - 1;

/** The other end did what the protocol does not allow: the connection is over, with this code. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Without its padding (RFC 9113, section 6.1), and without so much before it. Throws a `ConnectionError`. */
export function unpadded(flags: number, payload: Buffer, skip = 0): Buffer {
  const isPadded = (flags & Flag.padded) !== 0;
  const from = (isPadded ? 1 : 0) + skip;
  const end = payload.length - (isPadded ? (payload[0] ?? 0) : 0);
  if (from > end) throw new ConnectionError(ErrorCode.protocol, 'a frame has more padding than bytes');
  return from === 0 ? payload : payload.subarray(from, end);
}

/** Throws a `ConnectionError` where a payload has another size. */
export function checkSize(payload: Buffer, bytes: number): void {
  if (payload.length !== bytes) throw new ConnectionError(ErrorCode.frameSize, 'a frame has a size that it cannot have');
}
