import type { Duplex } from 'node:stream';
import { until } from '../../../test/support/until.ts';
import { HubFrameReader } from './hub-frames.ts';
import { Encoder } from './wire/encoder.ts';

/** The other end of a stream between hubs, that says exactly what the test tells it to: a hub of another version, or a wrong one. */
export class HubPeer {
  readonly seen: { type: number; numbers: number[]; body: Buffer }[] = [];
  isClosed = false;
  readonly #stream: Duplex;

  constructor(stream: Duplex) {
    this.#stream = stream;
    const reader = new HubFrameReader((type, body) => {
      const numbers = Array.from({ length: Math.floor(body.length / 4) }, (_, at) => body.readUInt32BE(4 * at));
      this.seen.push({ type, numbers, body });
    });
    stream.on('data', (bytes: Buffer) => reader.push(bytes));
    stream.on('error', () => {});
    stream.on('close', () => (this.isClosed = true));
  }

  hello(version: number): void {
    const body = new Encoder();
    body.uint32(version);
    body.uint32(0);
    body.bytes(Buffer.from('peer'));
    this.#frame(0, body.take());
  }

  numbers(type: number, ...numbers: number[]): void {
    const body = new Encoder();
    for (const number of numbers) body.uint32(number);
    this.#frame(type, body.take());
  }

  /** The first part of a message, settled. */
  message(number: number, payload: Buffer, more = false): void {
    const body = new Encoder();
    body.uint32(number);
    body.byte(more ? 3 : 2);
    body.uint32(0);
    body.bytes(payload);
    this.#frame(1, body.take());
  }

  /** The frames of this type, once there are so many. */
  sees(type: number, count = 1): Promise<{ numbers: number[]; body: Buffer }[]> {
    return until(
      () => `${count} frames of type ${type}; there are ${this.seen.map((frame) => frame.type).join(' ')}`,
      () => {
        const frames = this.seen.filter((frame) => frame.type === type);
        return frames.length >= count && frames;
      },
    );
  }

  /** Whatever it is. */
  bytes(bytes: Buffer): void {
    this.#stream.write(bytes);
  }

  end(): void {
    this.#stream.destroy();
  }

  #frame(type: number, body: Buffer): void {
    const encoder = new Encoder();
    encoder.uint32(1 + body.length);
    encoder.byte(type);
    encoder.bytes(body);
    this.#stream.write(encoder.take());
  }
}
