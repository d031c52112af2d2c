import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { EchoServer, Flood, FloodOptions, Protocol, Server, Side, Streams } from './protocol.ts';

const CHUNK = Buffer.alloc(16 * 1024, 'flood');

/** All that a protocol of bytes both ways offers: it follows from how its streams begin. */
export function streamProtocol(
  description: Omit<Protocol, 'startEcho' | 'ask' | 'streams' | 'flood'> & { streams: Streams },
): Protocol & { streams: Streams } {
  const { streams } = description;
  return {
    ...description,
    startEcho: () => startEcho(streams),
    ask: async (door, payload) => {
      const side = await streams.open(door);
      const answer = read(side.input);
      side.output.end(payload);
      return answer.finally(() => side.close?.());
    },
    flood: (options) => flood(streams, options),
  };
}

/** All that comes until its proper end. Rejects where there is none. */
export async function read(input: Readable): Promise<Buffer> {
  const pieces: Buffer[] = [];
  input.on('data', (piece: Buffer) => pieces.push(piece));
  await properEnd(input);
  return Buffer.concat(pieces);
}

/** Rejects when it is reset or lost instead. Somebody must read it. */
export function properEnd(input: Readable): Promise<void> {
  return new Promise((resolve, reject) => {
    input.once('error', reject);
    input.once('aborted', () => reject(new Error('aborted')));
    input.once('end', resolve);
    input.once('close', () => reject(new Error('closed before its end')));
  });
}

/** Resolves when it is reset; rejects when it is closed in order. node:http2 ends a stream before it resets it: an end says nothing. */
export function brokenOff(input: Readable): Promise<void> {
  return new Promise((resolve, reject) => {
    input.once('error', () => resolve());
    input.once('aborted', resolve);
    input.once('close', () => reject(new Error('closed in order')));
  });
}

/** A server, and its side of the first exchange. */
export async function startForOne(streams: Streams): Promise<{ server: Server; side: Promise<Side> }> {
  let starting: Promise<Server>;
  const side = new Promise<Side>((resolve) => {
    starting = streams.start(resolve);
  });
  return { server: await starting!, side };
}

async function startEcho(streams: Streams): Promise<EchoServer> {
  let exchanges = 0;
  const server = await streams.start(({ input, output }) => {
    exchanges++;
    input.pipe(output);
  });
  return {
    port: server.port,
    stop: () => server.stop(),
    get exchanges() {
      return exchanges;
    },
  };
}

async function flood(streams: Streams, { direction, total, offer }: FloodOptions): Promise<Flood> {
  const { server, side } = await startForOne(streams);
  const client = await streams.open(await offer(server.port));
  // What a server has nothing of yet it may not know of.
  client.output.write('x');
  const far = await side;
  await once(far.input, 'readable');
  far.input.read(1);
  const [sender, reader] = direction === 'to the server' ? [client, far] : [far, client];
  const pump = new Pump(sender.output, total);
  return {
    accepted: () => pump.accepted,
    read: async () => {
      let bytes = 0;
      reader.input.on('data', (piece: Buffer) => (bytes += piece.length));
      await properEnd(reader.input);
      return bytes;
    },
    stop: async () => {
      client.reset();
      client.close?.();
      await server.stop();
    },
  };
}

/** Writes as fast as it is taken, and counts what was. */
class Pump {
  accepted = 0;

  constructor(output: Writable, total: number) {
    void this.#run(output, total).catch(() => {});
  }

  async #run(output: Writable, total: number): Promise<void> {
    for (let sent = 0; sent < total; sent += CHUNK.length) {
      const isRoom = output.write(CHUNK, (error) => {
        if (!error) this.accepted += CHUNK.length;
      });
      if (!isRoom) await once(output, 'drain');
    }
    output.end();
  }
}
