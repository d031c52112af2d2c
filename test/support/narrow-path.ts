import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

const TICK_MS = 2;

/** A way to a port of loopback that passes so many bytes a millisecond there and back, and takes whatever it is given before that. */
export class NarrowPath {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** The most that stood before it, in either direction. Bytes. */
  mostQueued = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(target: number, rate: number, rateBack = rate): Promise<NarrowPath> {
    const server = createServer({ noDelay: true });
    const path = new NarrowPath(server);
    server.on('connection', (client) => {
      const onward = connect({ port: target, host: '127.0.0.1', noDelay: true });
      for (const socket of [client, onward]) {
        path.#sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => path.#sockets.delete(socket));
      }
      path.#pass(client, onward, rate);
      path.#pass(onward, client, rateBack);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return path;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
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
