import type { Duplex } from 'node:stream';
import { MessageReader } from './message-reader.ts';
import { MessageWriter } from './message-writer.ts';
import { CloseCode, Opcode } from './opcodes.ts';
import { WebSocketError } from './websocket-error.ts';

/** An end that does not answer the close is cut off after this. Milliseconds. */
const CLOSE_WITHIN_MS = 500;
/** Pings are not answered while so much waits: whoever does not read could make this end gather answers. Bytes. */
const MAX_WAITING_FOR_PONG = 64 * 1024;

export interface MessageSocketOptions {
  /** Whether this end dialled, and so masks what it sends. */
  dialled: boolean;
  /** What came behind the upgrade already. */
  head: Buffer;
  /** A larger message ends the connection. */
  maxMessageBytes: number;
}

export interface MessageSocketEvents {
  message(message: Buffer): void;
  /** There is room again: less waits than before. */
  drained(): void;
  /** The other end broke the protocol of WebSockets. Close the connection with `closeCode`. */
  broke(error: WebSocketError): void;
  /** Once, unless this end closed it. `code`: what the other end closed it with; undefined where the connection was lost. */
  closed(code: number | undefined, message: string): void;
}

/** A WebSocket (RFC 6455) of binary messages, once the upgrade is done. It owns its connection, and reads nothing until `start`. */
export class MessageSocket {
  readonly #socket: Duplex;
  readonly #reader: MessageReader;
  readonly #writer: MessageWriter;
  #events: MessageSocketEvents | undefined;
  #error: Error | undefined;
  #isClosing = false;
  /** When the last byte came. Milliseconds of `performance.now`. */
  heardAt = performance.now();

  constructor(socket: Duplex, { dialled, head, maxMessageBytes }: MessageSocketOptions) {
    this.#socket = socket;
    this.#writer = new MessageWriter(socket, dialled);
    this.#reader = new MessageReader({
      masked: !dialled,
      maxMessageBytes,
      message: (message) => this.#events!.message(message),
      control: (opcode, body) => this.#control(opcode, body),
    });
    socket.on('error', (error) => (this.#error = error));
    socket.on('close', () => this.#ended(this.#error?.message));
    if (head.length > 0) socket.unshift(head);
  }

  /** Bytes that the system has not taken yet. */
  get waiting(): number {
    return this.#writer.waiting;
  }

  start(events: MessageSocketEvents): void {
    this.#events = events;
    const socket = this.#socket;
    // Node tells the end of a socket that has nothing else to tell also where nobody reads it.
    if (socket.destroyed || socket.readableEnded) {
      process.nextTick(() => this.#ended(this.#error?.message));
      return;
    }
    socket.on('drain', () => events.drained());
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('end', () => this.#ended());
    socket.resume();
  }

  /** Sent with what else is gathered until `flush`. Does nothing once it is closed. */
  send(message: Buffer): void {
    if (!this.#isClosing) this.#writer.add(message);
  }

  /** @param done called when the system has taken it, or it is for nobody any more */
  flush(done?: () => void): void {
    // What was gathered when the other end ended is for nobody.
    if (this.#isClosing) done?.();
    else this.#writer.flush(done);
  }

  /** Reads nothing until `resume`, pings neither. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Sends what is gathered, says that it closes, and waits a little for the answer. What arrives from now on is not read. */
  close(code: CloseCode = CloseCode.normal): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#reader.stop();
    const body = Buffer.allocUnsafe(2);
    body.writeUInt16BE(code);
    this.#writer.addControl(Opcode.close, body);
    this.#writer.flush();
    this.#end();
  }

  /** Ends the connection without a word. */
  destroy(): void {
    this.#isClosing = true;
    this.#reader.stop();
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.heardAt = performance.now();
    try {
      this.#reader.read(chunk);
    } catch (error) {
      this.#reader.stop();
      if (!(error instanceof WebSocketError)) throw error;
      this.#events!.broke(error);
    }
  }

  #control(opcode: number, body: Buffer): void {
    if (opcode === Opcode.ping && this.waiting < MAX_WAITING_FOR_PONG) {
      this.#writer.addControl(Opcode.pong, body);
      this.#writer.flush();
    }
    if (opcode !== Opcode.close) return;
    const code = body.length >= 2 ? body.readUInt16BE(0) : undefined;
    const message = body.toString('utf8', 2);
    this.close();
    this.#events!.closed(code, message);
  }

  /** The connection is gone, and the other end has not closed the WebSocket. */
  #ended(message = ''): void {
    if (this.#isClosing || !this.#events) return;
    this.#isClosing = true;
    this.#reader.stop();
    this.#end();
    this.#events.closed(undefined, message);
  }

  #end(): void {
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), CLOSE_WITHIN_MS).unref();
  }
}
