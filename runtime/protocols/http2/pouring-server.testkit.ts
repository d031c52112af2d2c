/** A server of HTTP/2 that answers with as many bytes as its windows let it send, and counts them. */
import type { Socket } from 'node:net';
import { TestServer } from '../../../test/support/tcp.ts';
import { ACK, END_HEADERS, END_STREAM, Frame, frame, PREFACE_BYTES, RawEnd, type RawFrame } from './raw-frames.testkit.ts';

export interface PouringServerOptions {
  /** Of each response. Default: without end. */
  bytes?: number;
  /** When it confirms the client's settings; never where undefined. Default 0. */
  confirmsAfterMs?: number | undefined;
}

const FRAME_BYTES = 16_384;
const INITIAL_WINDOW_SIZE = 4;

export class PouringServer {
  /** In all responses. Bytes. */
  sent = 0;
  resets = 0;
  /** What it was given to send, by stream. Bytes. */
  readonly granted = new Map<number, number>();
  readonly #options: PouringServerOptions;
  #server!: TestServer;

  private constructor(options: PouringServerOptions) {
    this.#options = { confirmsAfterMs: 0, ...options };
  }

  static async start(options: PouringServerOptions = {}): Promise<PouringServer> {
    const pouring = new PouringServer(options);
    pouring.#server = await TestServer.start((socket) => pouring.#serve(socket));
    return pouring;
  }

  get port(): number {
    return this.#server.port;
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  #serve(socket: Socket): void {
    const end = new RawEnd(socket, PREFACE_BYTES);
    const streams = new Map<number, { credit: number; left: number }>();
    let window = 65_535;
    let all = 65_535;
    const take = ({ type, flags, stream, payload }: RawFrame): void => {
      if (type === Frame.settings && (flags & ACK) === 0) {
        for (let at = 0; at < payload.length; at += 6)
          if (payload.readUInt16BE(at) === INITIAL_WINDOW_SIZE) window = payload.readUInt32BE(at + 2);
        const { confirmsAfterMs } = this.#options;
        if (confirmsAfterMs !== undefined) setTimeout(() => end.send(frame(Frame.settings, ACK, 0)), confirmsAfterMs);
      } else if (type === Frame.headers) {
        streams.set(stream, { credit: window, left: this.#options.bytes ?? Number.POSITIVE_INFINITY });
        this.granted.set(stream, window);
        end.send(frame(Frame.headers, END_HEADERS, stream, Buffer.of(0x88)));
      } else if (type === Frame.windowUpdate && stream === 0) all += payload.readUInt32BE();
      else if (type === Frame.windowUpdate) {
        const own = streams.get(stream);
        if (!own) return;
        own.credit += payload.readUInt32BE();
        this.granted.set(stream, this.granted.get(stream)! + payload.readUInt32BE());
      } else if (type === Frame.reset) {
        this.resets++;
        streams.delete(stream);
      }
    };
    end.send(frame(Frame.settings, 0, 0));
    socket.on('data', () => {
      for (const each of end.frames.splice(0)) take(each);
      for (const [id, own] of streams)
        while (own.left > 0 && own.credit > 0 && all > 0) {
          const size = Math.min(own.left, own.credit, all, FRAME_BYTES);
          own.left -= size;
          own.credit -= size;
          all -= size;
          this.sent += size;
          end.send(frame(Frame.data, own.left === 0 ? END_STREAM : 0, id, Buffer.alloc(size)));
        }
    });
  }
}
