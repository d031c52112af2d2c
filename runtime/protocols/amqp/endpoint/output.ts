import type { Socket } from 'node:net';
import { SOCKET_HIGH_WATER_BYTES } from '../limits.ts';
import { Encoder } from '../wire/encoder.ts';

/** What a connection writes: frames, gathered for as long as the current turn of the event loop and then written at once. */
export class Output {
  readonly #socket: Socket;
  readonly #encoder = new Encoder();
  #wroteSince = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Whether links should wait until the socket has less to send. */
  get isBusy(): boolean {
    return this.#socket.writableLength + this.#encoder.length > SOCKET_HIGH_WATER_BYTES;
  }

  /** A protocol header (section 2.2 of AMQP 1.0). */
  header(protocol: number): void {
    this.#encoder.bytes(Buffer.of(0x41, 0x4d, 0x51, 0x50, protocol, 1, 0, 0));
  }

  /** A frame: whatever `body` writes behind the frame's header. */
  frame(type: number, channel: number, body: (encoder: Encoder) => void): void {
    const at = this.begin(type, channel);
    body(this.#encoder);
    this.end(at);
  }

  /** Begins a frame, whose body is then written to `encoder`, and which ends with `end`. */
  begin(type: number, channel: number): number {
    const at = this.#encoder.length;
    this.#encoder.uint32(0);
    this.#encoder.byte(2);
    this.#encoder.byte(type);
    this.#encoder.uint16(channel);
    return at;
  }

  get encoder(): Encoder {
    return this.#encoder;
  }

  /** @param at What `begin` returned. */
  end(at: number): void {
    this.#encoder.setUint32(at, this.#encoder.length - at);
  }

  flush(): void {
    if (this.#encoder.length === 0) return;
    this.#wroteSince = true;
    const bytes = this.#encoder.take();
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  /** Whether anything was written since the last time that this was asked. */
  wroteSince(): boolean {
    const wrote = this.#wroteSince;
    this.#wroteSince = false;
    return wrote;
  }
}
