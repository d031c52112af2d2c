/** HTTP/2 frame by frame, for what no well-behaved library sends (RFC 9113, section 4.1). */
import type { Socket } from 'node:net';
import { dial } from '../../../test/support/tcp.ts';
import { until } from '../../../test/support/until.ts';

export const Frame = {
  data: 0x0,
  headers: 0x1,
  reset: 0x3,
  settings: 0x4,
  ping: 0x6,
  goaway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const;
/** Bytes of the client's connection preface that are no frame. */
export const PREFACE_BYTES = 24;
export const END_STREAM = 0x1;
export const ACK = 0x1;
export const END_HEADERS = 0x4;

export interface RawFrame {
  type: number;
  flags: number;
  stream: number;
  payload: Buffer;
}

export function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A field that is not put into the compression table, with a name and a value of less than 127 bytes (RFC 7541, section 6.2.2). */
export function literal(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.of(0, name.length), Buffer.from(name), Buffer.of(value.length), Buffer.from(value)]);
}

/** `:method GET`, `:scheme http`, `:path /` of the static table, and an authority. */
export const GET = Buffer.concat([Buffer.of(0x82, 0x86, 0x84), literal(':authority', 'x')]);
/** The same with `:method POST`. */
export const POST = Buffer.concat([Buffer.of(0x83, 0x86, 0x84), literal(':authority', 'x')]);

/** One end of a connection in raw frames. */
export class RawEnd {
  readonly socket: Socket;
  readonly frames: RawFrame[] = [];
  isOver = false;
  #received: Buffer = Buffer.alloc(0);
  #skip: number;

  /** `skip`: the bytes of a client's preface, where this is a server. */
  constructor(socket: Socket, skip = 0) {
    this.socket = socket;
    this.#skip = skip;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.once('end', () => (this.isOver = true));
    socket.once('close', () => (this.isOver = true));
  }

  /** A client that has greeted, and taken the server's settings. */
  static async dial(port: number): Promise<RawEnd> {
    const end = new RawEnd(dial(port));
    end.send(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(Frame.settings, 0, 0));
    await end.receives(({ type, flags }) => type === Frame.settings && (flags & ACK) === 0);
    end.send(frame(Frame.settings, ACK, 0));
    return end;
  }

  send(...frames: Buffer[]): void {
    if (!this.isOver) this.socket.write(Buffer.concat(frames));
  }

  receives(wanted: (frame: RawFrame) => boolean): Promise<RawFrame> {
    return until('a frame', () => this.frames.find(wanted));
  }

  /** The error code of the GOAWAY with which the other end closes, or `closed` where it says nothing. */
  async ending(): Promise<number | 'closed'> {
    await until('the connection to end', () => this.isOver);
    const goaway = this.frames.findLast(({ type }) => type === Frame.goaway);
    return goaway ? goaway.payload.readUInt32BE(4) : 'closed';
  }

  /** Sends more and more, as the other end takes it, until it has had enough. */
  async flood(next: (at: number) => Buffer, most: number): Promise<number> {
    let at = 0;
    while (!this.isOver && at < most) {
      const batch = [];
      for (let left = 100; left > 0; left--) batch.push(next(at++));
      const isTaken = this.socket.write(Buffer.concat(batch));
      await new Promise((resolve) => {
        if (isTaken || this.isOver) setImmediate(resolve);
        else {
          this.socket.once('drain', resolve);
          this.socket.once('close', resolve);
        }
      });
    }
    return at;
  }

  #receive(chunk: Buffer): void {
    const skipped = Math.min(this.#skip, chunk.length);
    this.#skip -= skipped;
    this.#received = Buffer.concat([this.#received, chunk.subarray(skipped)]);
    for (;;) {
      if (this.#received.length < 9) return;
      const end = 9 + this.#received.readUIntBE(0, 3);
      if (this.#received.length < end) return;
      const [type, flags] = [this.#received[3]!, this.#received[4]!];
      const stream = this.#received.readUInt32BE(5);
      this.frames.push({ type, flags, stream, payload: this.#received.subarray(9, end) });
      this.#received = this.#received.subarray(end);
    }
  }
}
