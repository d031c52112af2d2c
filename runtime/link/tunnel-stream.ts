import { Duplex } from 'node:stream';
import { MessageSocket } from './websocket/message-socket.ts';

/** Of one message; the other end takes no larger one. Bytes. */
export const MAX_TUNNEL_MESSAGE_BYTES = 64 * 1024;

const END = Buffer.alloc(0);

type Done = (error?: Error | null) => void;

/**
 * A connection whose bytes are the binary messages of a WebSocket. An empty message is the end of what one side sends, since a WebSocket
 * closes both ways at once.
 */
export class TunnelStream extends Duplex {
  readonly #socket: MessageSocket;
  #hasEnded = false;

  constructor(socket: Duplex, { dialled, head }: { dialled: boolean; head: Buffer }) {
    super();
    this.#socket = new MessageSocket(socket, { dialled, head, maxMessageBytes: MAX_TUNNEL_MESSAGE_BYTES });
    this.#socket.start({
      message: (message) => this.#take(message),
      drained: () => {},
      broke: (error) => this.destroy(error),
      // What arrived before its end is still read.
      closed: () => this.#hasEnded || this.destroy(cut()),
    });
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this._writev([{ chunk }], done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: Done): void {
    for (const { chunk } of chunks)
      for (let at = 0; at < chunk.length; at += MAX_TUNNEL_MESSAGE_BYTES)
        this.#socket.send(chunk.subarray(at, at + MAX_TUNNEL_MESSAGE_BYTES));
    this.#socket.flush(done);
  }

  override _final(done: Done): void {
    this.#socket.send(END);
    this.#socket.flush(done);
  }

  override _destroy(error: Error | null, done: Done): void {
    if (this.writableFinished && !error) this.#socket.close();
    else this.#socket.destroy();
    done(error);
  }

  #take(message: Buffer): void {
    if (this.#hasEnded) return;
    if (message.length === 0) {
      this.#hasEnded = true;
      this.push(null);
    } else if (!this.push(message)) this.#socket.pause();
  }
}

function cut(): Error {
  return Object.assign(new Error('the tunnel was cut'), { code: 'ECONNRESET' });
}
