import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { until } from '../../../test/support/until.ts';
import { Random } from '../../../test/simulation/random.ts';
import { againstWs, ROLES } from './ends.testkit.ts';
import { MessageReader } from './message-reader.ts';
import { MessageWriter } from './message-writer.ts';
import { Opcode } from './opcodes.ts';
import { brief, patterned } from './raw-frames.testkit.ts';

/** The largest message that is copied. Bytes. */
const COPIED = 5 * 1024;
/** A message up to 125 bytes, from 126 on, and from 64 KiB on has a header of so many bytes; a mask has 4 more. */
const SIZES = [0, 1, 125, 126, 127, COPIED, COPIED + 1, 16 * 1024, 65_535, 65_536, 300_000];

/** Takes what it is given when it is told to. */
class Taker extends Writable {
  /** Everything that one call gave. */
  readonly calls: Buffer[][] = [];
  #taken: (() => void) | undefined;

  get bytes(): Buffer {
    return Buffer.concat(this.calls.flat());
  }

  /** Until there is nothing more. */
  take(): void {
    while (this.#taken) {
      const taken = this.#taken;
      this.#taken = undefined;
      taken();
    }
  }

  override _write(chunk: Buffer, _encoding: string, taken: () => void): void {
    this.calls.push([chunk]);
    this.#taken = taken;
  }

  override _writev(chunks: { chunk: Buffer }[], taken: () => void): void {
    this.calls.push(chunks.map(({ chunk }) => chunk));
    this.#taken = taken;
  }
}

function takerAndWriter(masked = false): { taker: Taker; writer: MessageWriter } {
  const taker = new Taker();
  return { taker, writer: new MessageWriter(taker, masked) };
}

describe('what a writer sends', () => {
  for (const { role, dialled } of ROLES) {
    it(`as a ${role} is what the library reads, in its order`, async (t) => {
      const { socket, ws } = await againstWs(t, dialled);
      const seen: unknown[] = [];
      ws.on('message', (message: Buffer, isBinary) => seen.push(isBinary ? brief(message) : 'text'));
      ws.on('ping', (body) => seen.push(body.toString()));
      const writer = new MessageWriter(socket, dialled);
      const random = new Random(dialled ? 1 : 2);
      const expected: unknown[] = [];
      for (let at = 0; at < 200; at++) {
        const message = patterned(random.pick(SIZES), at);
        writer.add(message);
        expected.push(brief(message));
        if (random.chance(0.3)) {
          writer.addControl(Opcode.ping, Buffer.from(`ping ${at}`));
          expected.push(`ping ${at}`);
        }
        if (random.chance(0.4)) writer.flush();
      }
      writer.flush();
      await until('all of it', () => seen.length >= expected.length);
      assert.deepEqual(seen, expected);
    });

    it(`as a ${role} has the shortest header, and a mask of zeros where it needs one`, () => {
      const mask = dialled ? '00000000' : '';
      const headers: [size: number, asServer: string, asClient: string][] = [
        [0, '8200', '8280'],
        [125, '827d', '82fd'],
        [126, '827e007e', '82fe007e'],
        [65_535, '827effff', '82feffff'],
        [65_536, '827f0000000000010000', '82ff0000000000010000'],
      ];
      for (const [size, asServer, asClient] of headers) {
        const { taker, writer } = takerAndWriter(dialled);
        const message = patterned(size);
        writer.add(message);
        writer.flush();
        const header = Buffer.from((dialled ? asClient : asServer) + mask, 'hex');
        assert.equal(taker.bytes.subarray(0, header.length).toString('hex'), header.toString('hex'));
        assert.ok(taker.bytes.equals(Buffer.concat([header, message])));
      }
    });
  }

  it('stays what it was while it waits, whatever is sent behind it', () => {
    const { taker, writer } = takerAndWriter();
    const random = new Random(3);
    const messages = Array.from({ length: 300 }, (_, at) => patterned(random.integer(0, 7000), at));
    for (const message of messages) {
      writer.add(message);
      if (random.chance(0.5)) writer.flush();
    }
    writer.flush();
    taker.take();
    const seen: Buffer[] = [];
    const reader = new MessageReader({
      masked: false,
      maxMessageBytes: 7000,
      message: (message) => seen.push(message),
      control: () => assert.fail('none was sent'),
    });
    reader.read(taker.bytes);
    assert.deepEqual(seen.map(brief), messages.map(brief));
  });
});

describe('a flush', () => {
  it('writes all small messages as one piece', () => {
    const { taker, writer } = takerAndWriter();
    for (let at = 0; at < 100; at++) writer.add(patterned(50, at));
    writer.addControl(Opcode.ping, Buffer.from('ping'));
    assert.equal(taker.calls.length, 0);
    writer.flush();
    assert.deepEqual(
      taker.calls.map((pieces) => pieces.map(({ length }) => length)),
      [[100 * 52 + 6]],
    );
  });

  it('writes once, also what has no room in one piece', () => {
    const { taker, writer } = takerAndWriter();
    for (let at = 0; at < 100; at++) writer.add(patterned(at % 10 === 0 ? 70_000 : 1000, at));
    writer.flush();
    assert.equal(taker.calls.length, 1);
    assert.ok(taker.calls[0]!.length < 30, `${taker.calls[0]!.length} pieces`);
    for (let at = 0; at < 100; at++) writer.add(patterned(1000, at));
    writer.flush();
    taker.take();
    assert.equal(taker.calls.length, 2);
    assert.ok(taker.calls[1]!.length < 10, `${taker.calls[1]!.length} pieces`);
  });

  it('writes nothing where nothing was gathered', () => {
    const { taker, writer } = takerAndWriter();
    writer.flush();
    writer.add(Buffer.alloc(1));
    writer.flush();
    writer.flush();
    taker.take();
    assert.equal(taker.calls.length, 1);
  });

  it('of a connection that is gone does nothing', async () => {
    const { taker, writer } = takerAndWriter();
    taker.destroy();
    await new Promise((resolve) => taker.once('close', resolve));
    writer.add(Buffer.alloc(1));
    writer.add(Buffer.alloc(COPIED + 1));
    writer.flush();
    assert.equal(taker.calls.length, 0);
  });
});

describe('a message', () => {
  it('that is large is not copied', () => {
    const { taker, writer } = takerAndWriter();
    const large = Buffer.alloc(COPIED + 1);
    writer.add(large);
    writer.flush();
    taker.take();
    const [header, payload] = taker.calls[0]!;
    assert.deepEqual([header!.length, payload!.length], [4, large.length]);
    assert.ok(payload!.buffer === large.buffer);
  });

  it('that is small is, so that its memory may change', () => {
    const { taker, writer } = takerAndWriter();
    const small = Buffer.alloc(COPIED, 1);
    writer.add(small);
    small.fill(2);
    writer.flush();
    assert.ok(taker.bytes.subarray(4).equals(Buffer.alloc(COPIED, 1)));
  });
});

describe('what waits', () => {
  for (const { role, dialled } of ROLES) {
    it(`of a ${role} is what is gathered, with headers, and what the system has not taken`, () => {
      const mask = dialled ? 4 : 0;
      const { taker, writer } = takerAndWriter(dialled);
      assert.equal(writer.waiting, 0);
      let expected = 0;
      for (const [size, header] of [
        [0, 2],
        [100, 2],
        [COPIED, 4],
        [COPIED + 1, 4],
        [70_000, 10],
        [16 * 1024, 4],
        [3, 2],
      ] as const) {
        writer.add(Buffer.alloc(size));
        expected += header + mask + size;
        assert.equal(writer.waiting, expected);
      }
      writer.addControl(Opcode.pong, Buffer.alloc(125));
      expected += 2 + mask + 125;
      assert.equal(writer.waiting, expected);
      writer.flush();
      assert.equal(writer.waiting, expected);
      writer.add(Buffer.alloc(10));
      assert.equal(writer.waiting, expected + 2 + mask + 10);
      taker.take();
      assert.equal(writer.waiting, 2 + mask + 10);
      writer.flush();
      taker.take();
      assert.equal(writer.waiting, 0);
      assert.equal(taker.bytes.length, expected + 2 + mask + 10);
    });
  }
});

it('a control frame of more than 125 bytes is the mistake of who adds it, and nothing of it is sent', () => {
  const { taker, writer } = takerAndWriter();
  assert.throws(() => writer.addControl(Opcode.ping, Buffer.alloc(126)), new RangeError('a control frame has 126 bytes'));
  assert.equal(writer.waiting, 0);
  writer.flush();
  assert.equal(taker.calls.length, 0);
});
