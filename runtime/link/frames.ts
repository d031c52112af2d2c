/**
 * The frames of a link, subprotocol `caravan.1`. Each is one binary WebSocket message: a type (1 byte), a stream number (4 bytes, big
 * endian, 0 for the link itself), a body. The payload of `dataAhead` is the whole of the next message: a large payload is
 * passed on without being copied behind a header. See docs/link-protocol.md.
 */
export const FrameType = {
  hello: 1,
  bye: 2,
  ping: 3,
  pong: 4,
  routing: 5,
  cost: 6,
  open: 16,
  opened: 17,
  refused: 18,
  data: 19,
  dataAhead: 20,
  end: 21,
  reset: 22,
  credit: 23,
  blocked: 24,
  /** These three from version 2 of the protocol on. */
  datagram: 25,
  lost: 26,
  received: 27,
  /** These two from version 3 on. */
  label: 28,
  datagrams: 29,
} as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

/** A router that does not know a type from here on passes over it; an unknown one below ends the link. */
export const FIRST_OPTIONAL_TYPE = 64;

export const HEADER_BYTES = 5;
/** A payload up to this is copied behind its header: one small message is cheaper than two. */
export const INLINE_BYTES = 4096;
/** The largest WebSocket message that is taken; a larger one ends the link. Bounds what a neighbour can make this router hold. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
/** The largest piece of a stream in one frame: what a small frame of another stream waits for at most. */
export const MAX_PAYLOAD_BYTES = 64 * 1024;

/** Of what a stream is opened with: a neighbour that gets more ends the link. */
export const MAX_OPEN_BYTES = 4096;

export interface Frame {
  type: FrameType;
  stream: number;
  body: Buffer;
}

export function encodeFrame(type: FrameType, stream: number, body?: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + (body?.length ?? 0));
  frame[0] = type;
  frame.writeUInt32BE(stream, 1);
  if (body) frame.set(body, HEADER_BYTES);
  return frame;
}

export function encodeNumberFrame(type: FrameType, stream: number, value: number): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + 4);
  frame[0] = type;
  frame.writeUInt32BE(stream, 1);
  frame.writeUInt32BE(value, HEADER_BYTES);
  return frame;
}

export function encodeJsonFrame(type: FrameType, stream: number, value: unknown): Buffer {
  return encodeFrame(type, stream, Buffer.from(JSON.stringify(value)));
}

/** Throws a `ProtocolError` for what is no frame. */
export function decodeFrame(message: Buffer): Frame {
  if (message.length < HEADER_BYTES) throw new ProtocolError('a frame is shorter than its header');
  return { type: message[0] as FrameType, stream: message.readUInt32BE(1), body: message.subarray(HEADER_BYTES) };
}

export function decodeNumber(body: Buffer): number {
  if (body.length !== 4) throw new ProtocolError('a frame that carries a number has another length');
  return body.readUInt32BE(0);
}

export function decodeJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new ProtocolError('a frame that carries JSON has something else');
  }
}

/** The neighbour sent what the protocol does not allow; the link is cut with this as the reason. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}
