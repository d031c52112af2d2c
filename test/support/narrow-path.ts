import { connect, createServer, type Socket } from 'node:net';
import { LoopbackServer } from './loopback-server.ts';

const TICK_MS = 2;

/** A way to a port of loopback that passes so many bytes a millisecond there and back, and takes whatever it is given before that. */
export class NarrowPath extends LoopbackServer {
  /** The most that stood before it, in either direction. Bytes. */
  mostQueued = 0;

  static async open(target: number, rate: number, rateBack = rate): Promise<NarrowPath> {
    const server = createServer({ noDelay: true });
    const path = new NarrowPath(server);
    server.on('connection', (client) => {
      const onward = path.keep(connect({ port: target, host: '127.0.0.1', noDelay: true }));
      for (const socket of [client, onward]) socket.on('error', () => {});
      path.#pass(client, onward, rate);
      path.#pass(onward, client, rateBack);
    });
    return path.listen();
  }

  #pass(from: Socket, to: Socket, rate: number): void {
    const waiting: Buffer[] = [];
    let queued = 0;
    let passedAt = performance.now();
    from.on('data', (chunk) => {
      if (queued === 0) passedAt = performance.now();
      waiting.push(chunk);
      queued += chunk.length;
      this.mostQueued = Math.max(this.mostQueued, queued);
    });
    let isOver = false;
    from.on('close', () => (isOver = true));
    const timer = setInterval(() => {
      const now = performance.now();
      let room = Math.floor((now - passedAt) * rate);
      // What had arrived before the end still passes.
      if (isOver && queued === 0) to.destroySoon();
      if (room === 0 || queued === 0) return;
      passedAt = now;
      while (room > 0 && waiting.length > 0) {
        const chunk = waiting[0]!;
        const piece = chunk.subarray(0, room);
        if (piece.length === chunk.length) waiting.shift();
        else waiting[0] = chunk.subarray(piece.length);
        room -= piece.length;
        queued -= piece.length;
        to.write(piece);
      }
    }, TICK_MS);
    to.on('close', () => clearInterval(timer));
  }
}
