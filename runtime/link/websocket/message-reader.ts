import { GrowingBuffer } from './growing-buffer.ts';
import { CloseCode, FIN, LENGTH_16, LENGTH_64, MASK_BYTES, MASKED, MAX_CONTROL_BYTES, Opcode } from './opcodes.ts';
import { WebSocketError } from './websocket-error.ts';

/** The three bits that extensions may use: RFC 6455, section 5.2. */
const EXTENSION_BITS = 0x70;
const OPCODE_BITS = 0x0f;
const CONTROL_BIT = 0x08;
const LENGTH_BITS = 0x7f;

export interface MessageReaderOptions {
  /** Whether the other end is the client, which has to mask what it sends: RFC 6455, section 5.1. */
  masked: boolean;
  maxMessageBytes: number;
  /** A binary message, whole. It may share memory with the bytes that were read. */
  message: (message: Buffer) => void;
  /** A control frame. */
  control: (opcode: number, body: Buffer) => void;
}

/** Takes messages out of the bytes that arrive on a WebSocket, in whatever pieces those come. */
export class MessageReader {
  readonly #options: MessageReaderOptions;
  /** The beginning of a frame's header, or of a control frame. */
  #rest: Buffer | undefined;
  /** Of the frame that has begun: the bytes still to come, its mask, and where in that the next byte is. */
  #missing = 0;
  #mask = 0;
  #maskAt = 0;
  #isLast = true;
  /** A message has begun, and its last frame is still to come. */
  #inMessage = false;
  readonly #message = new GrowingBuffer();
  #stopped = false;

  constructor(options: MessageReaderOptions) {
    this.#options = options;
  }

  /** Reads nothing more, also of what is being read. */
  stop(): void {
    this.#stopped = true;
  }

  /** Masked bytes are unmasked where they are. Throws a `WebSocketError`; nothing can be read after that. */
  read(chunk: Buffer): void {
    if (this.#stopped) return;
    const bytes = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    this.#rest = undefined;
    let at = this.#missing > 0 ? this.#payload(bytes, 0) : 0;
    while (at < bytes.length && !this.#stopped) {
      const end = this.#frame(bytes, at);
      if (end === undefined) {
        this.#rest = Buffer.from(bytes.subarray(at));
        return;
      }
      at = end;
    }
  }

  /** The frame that begins there. Returns how far it was read; undefined where too little of it is there to begin. */
  #frame(bytes: Buffer, at: number): number | undefined {
    const available = bytes.length - at;
    if (available < 2) return undefined;
    const [first, second] = [bytes[at]!, bytes[at + 1]!];
    let size = second & LENGTH_BITS;
    let start = at + 2;
    if (size === LENGTH_16) {
      if (available < 4) return undefined;
      size = bytes.readUInt16BE(start);
      start += 2;
    } else if (size === LENGTH_64) {
      if (available < 10) return undefined;
      size = bytes.readUInt32BE(start) * 2 ** 32 + bytes.readUInt32BE(start + 4);
      start += 8;
    }
    const isMasked = (second & MASKED) !== 0;
    if (isMasked !== this.#options.masked) throw broken(isMasked ? 'is masked by a server' : 'is not masked by a client');
    let mask = 0;
    if (isMasked) {
      if (bytes.length < start + MASK_BYTES) return undefined;
      mask = bytes.readUInt32BE(start);
      start += MASK_BYTES;
    }
    if ((first & EXTENSION_BITS) !== 0) throw broken('uses an extension that was not agreed upon');
    const opcode = first & OPCODE_BITS;
    const isLast = (first & FIN) !== 0;
    if ((opcode & CONTROL_BIT) !== 0) return this.#control(bytes, start, { opcode, size, isLast, mask });
    this.#checkOpcode(opcode);
    const { maxMessageBytes } = this.#options;
    if (this.#message.length + size > maxMessageBytes)
      throw new WebSocketError(CloseCode.tooLarge, `it sends a message of more than ${maxMessageBytes} bytes`);
    const end = start + size;
    if (isLast && !this.#inMessage && end <= bytes.length) {
      const message = bytes.subarray(start, end);
      unmask(message, mask, 0);
      this.#options.message(message);
      return end;
    }
    this.#missing = size;
    this.#mask = mask;
    this.#maskAt = 0;
    this.#isLast = isLast;
    this.#inMessage = true;
    return this.#payload(bytes, start);
  }

  #checkOpcode(opcode: number): void {
    if (opcode === Opcode.text) throw new WebSocketError(CloseCode.unsupportedData, 'it sends text');
    if (opcode !== Opcode.binary && opcode !== Opcode.continuation) throw broken(`has the unknown opcode ${opcode}`);
    if (this.#inMessage !== (opcode === Opcode.continuation))
      throw broken(this.#inMessage ? 'begins a message within another' : 'continues a message that has not begun');
  }

  /** More of the frame that has begun. Returns how far that went. */
  #payload(bytes: Buffer, at: number): number {
    const end = Math.min(at + this.#missing, bytes.length);
    const piece = bytes.subarray(at, end);
    unmask(piece, this.#mask, this.#maskAt);
    this.#maskAt = (this.#maskAt + piece.length) % MASK_BYTES;
    this.#missing -= piece.length;
    this.#message.append(piece, this.#isLast ? this.#missing : undefined);
    if (this.#missing === 0 && this.#isLast) {
      this.#inMessage = false;
      this.#options.message(this.#message.take());
    }
    return end;
  }

  /** These may stand between the frames of a message, and are read whole. */
  #control(
    bytes: Buffer,
    start: number,
    { opcode, size, isLast, mask }: { opcode: number; size: number; isLast: boolean; mask: number },
  ): number | undefined {
    if (size > MAX_CONTROL_BYTES || !isLast) throw broken('controls the connection and is larger than such frames may be');
    if (opcode > Opcode.pong) throw broken(`has the unknown opcode ${opcode}`);
    const end = start + size;
    if (end > bytes.length) return undefined;
    const body = bytes.subarray(start, end);
    unmask(body, mask, 0);
    this.#options.control(opcode, body);
    return end;
  }
}

function broken(what: string): WebSocketError {
  return new WebSocketError(CloseCode.protocolError, `it sends a WebSocket frame that ${what}`);
}

/** RFC 6455, section 5.3. `at`: which byte of the mask the first one belongs to. Caravan's own mask is 0, which changes nothing. */
function unmask(bytes: Buffer, mask: number, at: number): void {
  if (mask === 0) return;
  for (let index = 0; index < bytes.length; index++)
    bytes[index]! ^= mask >>> (8 * (MASK_BYTES - 1 - ((at + index) % MASK_BYTES)));
}
