import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import rhea from 'rhea';
import { inPieces, spoilt } from '../../../../test/support/bad-bytes.ts';
import { Random } from '../../../../test/simulation/random.ts';
import { AmqpError } from './amqp-error.ts';
import { Decoder } from './decoder.ts';
import { toOutcome } from './delivery-state.ts';
import { Encoder } from './encoder.ts';
import { FrameReader } from './frame-reader.ts';
import { deliveredAgain, recipient } from './message-sections.ts';
import * as performatives from './performatives.ts';

type Value = undefined | boolean | number | string | Buffer;

/** How a value of each type is written, read, and made at random. */
const TYPES: {
  make: (random: Random) => Value;
  write: (encoder: Encoder, value: never) => void;
  read: (decoder: Decoder) => Value;
}[] = [
  {
    make: (random) => random.chance(0.5),
    write: (encoder, value) => encoder.boolean(value),
    read: (decoder) => decoder.boolean(),
  },
  {
    make: (random) => random.pick([0, 1, 255, 256, 2 ** 31, 2 ** 32 - 1]),
    write: (encoder, value) => encoder.uint(value),
    read: (decoder) => decoder.unsigned(),
  },
  {
    make: (random) => random.integer(0, 65_535),
    write: (encoder, value) => encoder.ushort(value),
    read: (decoder) => decoder.unsigned(),
  },
  {
    make: (random) => random.integer(0, 255),
    write: (encoder, value) => encoder.ubyte(value),
    read: (decoder) => decoder.unsigned(),
  },
  {
    make: (random) => random.pick(['', 'x', 'Zürich 😀', 'é'.repeat(127), 'é'.repeat(128), 'y'.repeat(70_000)]),
    write: (encoder, value) => encoder.string(value),
    read: (decoder) => decoder.string(),
  },
  {
    make: (random) => 's'.repeat(random.pick([0, 1, 255, 256])),
    write: (encoder, value) => encoder.symbol(value),
    read: (decoder) => decoder.symbol(),
  },
  {
    make: (random) => random.pick([0, 1, 255, 256, 5000]),
    write: (encoder, value) => encoder.binary(Buffer.alloc(value)),
    read: (decoder) => decoder.binaryLength(),
  },
];

describe('values', () => {
  it('are read as they were written, whatever they are and in whatever order', () => {
    for (let seed = 1; seed <= 500; seed++) {
      const random = new Random(seed);
      const values = Array.from({ length: random.integer(0, 12) }, () => {
        const type = random.pick(TYPES);
        return { type, value: random.chance(0.2) ? undefined : type.make(random) };
      });
      const encoder = new Encoder();
      encoder.list(0x10, values.length, () => {
        for (const { type, value } of values)
          if (value === undefined) encoder.null();
          else type.write(encoder, value as never);
      });
      const decoder = new Decoder(encoder.take());
      assert.equal(decoder.descriptor(), 0x10);
      const fields = decoder.list();
      const read = values.map(({ type }) => type.read(fields));
      assert.deepEqual(
        read,
        values.map(({ value }) => value),
        `seed ${seed}`,
      );
      assert.equal(fields.raw(), undefined, 'there is one field too many');
      assert.ok(!decoder.hasMore);
    }
  });
});

/** What peers send: from each connection of a client that sends and receives. */
const FRAMES = await recorded();
const READERS: readonly ((fields: Decoder) => unknown)[] = [
  performatives.decodeOpen,
  performatives.decodeBegin,
  performatives.decodeAttach,
  performatives.decodeFlow,
  (fields) => performatives.decodeTransfer(fields, Buffer.alloc(0)),
  performatives.decodeDisposition,
  performatives.decodeDetach,
  performatives.decodeEnding,
];

/** What is made of them; with an error of AMQP at the end, where they are none. */
function readAll(pieces: readonly Buffer[]): unknown[] {
  const said: unknown[] = [];
  const handler = {
    header: (header: Buffer) => said.push(header.toString('hex')),
    frame: (type: number, channel: number, body: Decoder) => {
      if (!body.hasMore) {
        said.push([type, channel]);
        return;
      }
      const descriptor = body.descriptor();
      const fields = body.list();
      said.push([type, channel, descriptor, READERS[descriptor - performatives.OPEN]?.(fields), body.rest().toString('hex')]);
    },
  };
  const reader = new FrameReader(handler, 16_384);
  try {
    for (const piece of pieces) reader.push(piece);
  } catch (error) {
    if (!(error instanceof AmqpError)) throw error;
    said.push(error.condition);
  }
  return said;
}

describe('what somebody spoilt', () => {
  it('is read or refused, frame by frame, and the same in whatever pieces it comes', () => {
    let refused = 0;
    for (let seed = 1; seed <= 3000; seed++) {
      const random = new Random(seed);
      const bad = spoilt(FRAMES, random);
      const said = readAll([bad]);
      if (String(said.at(-1)).startsWith('amqp:')) refused++;
      assert.deepEqual(readAll(inPieces(bad, 40, random)), said, `seed ${seed}: ${bad.toString('hex')}`);
    }
    assert.ok(refused > 500 && refused < 2900, `${refused} of 3000 refused`);
  });

  it('is a message, or none that is said to be none', () => {
    const message = rhea.message.encode({ to: 'orders', priority: 3, message_annotations: { note: 'n' }, body: 'x'.repeat(40) });
    for (let seed = 1; seed <= 3000; seed++) {
      const bad = spoilt(message, new Random(seed));
      for (const read of [
        () => recipient(bad, true),
        () => recipient(bad, false),
        () => deliveredAgain(bad),
        () => toOutcome(bad),
      ])
        try {
          read();
        } catch (error) {
          if (!(error instanceof AmqpError)) throw new Error(`seed ${seed}`, { cause: error });
        }
    }
  });
});

/** All that a client of rhea says while it opens, attaches, sends and closes, to a peer that is rhea as well. */
async function recorded(): Promise<Buffer> {
  const server = rhea.create_container({ id: 'server' });
  const client = rhea.create_container({ id: 'client' });
  const listener = server.listen({ port: 0, host: '127.0.0.1' });
  await new Promise((resolve) => listener.once('listening', resolve));
  const said: Buffer[] = [];
  listener.on('connection', (socket) => socket.on('data', (chunk: Buffer) => said.push(chunk)));
  server.on('receiver_open', ({ receiver }) => receiver?.add_credit(1));
  const connection = client.connect({ port: (listener.address() as { port: number }).port, host: '127.0.0.1', reconnect: false });
  connection.open_receiver({ source: 'orders', name: 'in' });
  connection
    .open_sender({ target: 'orders', name: 'out' })
    .once('sendable', ({ sender }) => sender?.send({ to: 'orders', body: 'hello' }));
  await new Promise((resolve) => client.once('accepted', resolve));
  connection.close();
  await new Promise((resolve) => client.once('connection_close', resolve));
  listener.close();
  return Buffer.concat(said);
}
