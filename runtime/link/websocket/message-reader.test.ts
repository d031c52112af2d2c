import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import type { WebSocket } from 'ws';
import { inPieces, spoilt } from '../../../test/support/bad-bytes.ts';
import { received } from '../../../test/support/tcp.ts';
import { Random } from '../../../test/simulation/random.ts';
import { againstWs, ROLES } from './ends.testkit.ts';
import { GrowingBuffer } from './growing-buffer.ts';
import { MessageReader } from './message-reader.ts';
import { MessageWriter } from './message-writer.ts';
import { CloseCode, Opcode } from './opcodes.ts';
import { brief, patterned, rawFrame } from './raw-frames.testkit.ts';
import { WebSocketError } from './websocket-error.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
/** Around what a header's length says in one way or another, what a writer copies, and what a reader takes memory for at first. */
const SIZES = [0, 1, 125, 126, 127, 5 * KIB, 5 * KIB + 1, 65_535, 65_536, 65_537, 140_000, 0, 3];
/** Of pieces: the most that each has. Bytes. */
const PIECES = [1, 9, 150, 1500, 20_000, 70_000, 300_000];

interface Options {
  masked?: boolean;
  maxMessageBytes?: number;
}

/** What is read of them: messages in brief, control frames as opcode and body, and what is refused as code and sentence. */
function readAll(pieces: readonly Buffer[], { masked = false, maxMessageBytes = MIB }: Options = {}): unknown[] {
  const said: unknown[] = [];
  const reader = new MessageReader({
    masked,
    maxMessageBytes,
    message: (message) => said.push(message),
    control: (opcode, body) => said.push([opcode, body.toString('latin1')]),
  });
  try {
    // A copy each: what is masked is unmasked where it is.
    for (const piece of pieces) reader.read(Buffer.from(piece));
  } catch (error) {
    if (!(error instanceof WebSocketError)) throw error;
    said.push([error.closeCode, error.message]);
  }
  // Not before all is read: what comes later must not change them.
  return said.map((each) => (Buffer.isBuffer(each) ? brief(each) : each));
}

/** Every way to cut them in two. */
function cuts(bytes: Buffer): Buffer[][] {
  return Array.from({ length: bytes.length + 1 }, (_, at) => [bytes.subarray(0, at), bytes.subarray(at)]);
}

describe('messages are read the same in whatever pieces they come:', () => {
  const messages = SIZES.map((size) => patterned(size, size));

  for (const { role, dialled } of ROLES) {
    it(`those of a writer, a ${role}`, async () => {
      const stream = new PassThrough();
      const writer = new MessageWriter(stream, dialled);
      const expected: unknown[] = [];
      for (const [at, message] of messages.entries()) {
        writer.add(message);
        writer.addControl(Opcode.ping, Buffer.from(`ping ${at}`));
        expected.push(brief(message), [Opcode.ping, `ping ${at}`]);
      }
      writer.flush();
      stream.end();
      const bytes = await buffer(stream);
      assert.deepEqual(readAll([bytes], { masked: dialled }), expected);
      for (const [seed, most] of PIECES.entries()) {
        const pieces = inPieces(bytes, most, new Random(seed));
        assert.deepEqual(readAll(pieces, { masked: dialled }), expected, `in pieces of up to ${most}`);
      }
    });

    it(`those of the library, a ${role}, also in fragments`, async (t) => {
      const { socket, head, ws } = await againstWs(t, !dialled);
      const bytes = received(socket);
      const expected: unknown[] = [];
      for (const [at, message] of messages.entries()) {
        ws.send(message);
        ws.send(message.subarray(0, 70), { fin: false });
        ws.ping(`ping ${at}`);
        ws.send(message.subarray(70, 80), { fin: false });
        ws.pong(`pong ${at}`);
        await sent(ws, message.subarray(80));
        expected.push(brief(message), [Opcode.ping, `ping ${at}`], [Opcode.pong, `pong ${at}`], brief(message));
      }
      ws.terminate();
      const whole = Buffer.concat([head, await bytes]);
      assert.deepEqual(readAll([whole], { masked: dialled }), expected);
      for (const [seed, most] of PIECES.entries()) {
        const pieces = inPieces(whole, most, new Random(seed));
        assert.deepEqual(readAll(pieces, { masked: dialled }), expected, `in pieces of up to ${most}`);
      }
    });
  }

  it('fragments, with control frames and empty ones between', () => {
    const bytes = Buffer.concat([
      rawFrame(Opcode.ping, 'before'),
      rawFrame(Opcode.binary, 'one ', { isLast: false }),
      rawFrame(Opcode.ping, ''),
      rawFrame(Opcode.continuation, '', { isLast: false }),
      rawFrame(Opcode.continuation, 'two ', { isLast: false }),
      rawFrame(Opcode.pong, 'between'),
      rawFrame(Opcode.close, Buffer.of(3, 232)),
      rawFrame(Opcode.continuation, 'three'),
      rawFrame(Opcode.binary, '', { isLast: false }),
      rawFrame(Opcode.continuation, ''),
      rawFrame(Opcode.binary, 'four'),
    ]);
    const expected = [
      [Opcode.ping, 'before'],
      [Opcode.ping, ''],
      [Opcode.pong, 'between'],
      [Opcode.close, '\x03\xe8'],
      'one two three',
      '',
      'four',
    ];
    for (const pieces of [...cuts(bytes), inPieces(bytes, 1, new Random(1))]) assert.deepEqual(readAll(pieces), expected);
  });

  it('large fragments, one message behind another', () => {
    const [first, second] = [patterned(200_000), patterned(150_000, 99)];
    const bytes = Buffer.concat(
      [first, second].flatMap((message) => [
        rawFrame(Opcode.binary, message.subarray(0, 70_000), { isLast: false }),
        rawFrame(Opcode.continuation, message.subarray(70_000, 70_001), { isLast: false }),
        rawFrame(Opcode.ping, 'between'),
        rawFrame(Opcode.continuation, message.subarray(70_001)),
      ]),
    );
    const expected = [[Opcode.ping, 'between'], brief(first), [Opcode.ping, 'between'], brief(second)];
    for (const [seed, most] of PIECES.entries())
      assert.deepEqual(readAll(inPieces(bytes, most, new Random(seed))), expected, `in pieces of up to ${most}`);
  });

  it('a control frame of the largest size', () => {
    const body = 'x'.repeat(125);
    for (const pieces of cuts(rawFrame(Opcode.ping, body))) assert.deepEqual(readAll(pieces), [[Opcode.ping, body]]);
  });
});

describe('a mask', () => {
  for (const mask of [0x01020304, 0xffffffff, 0x80000000, 0x000000ff, 0x00ff0000, 0xdeadbeef, 0]) {
    it(`${mask.toString(16).padStart(8, '0')} is taken off, wherever the bytes are cut`, () => {
      const body = patterned(11, 40);
      const bytes = Buffer.concat([
        rawFrame(Opcode.binary, body, { mask }),
        rawFrame(Opcode.ping, 'hello', { mask }),
        rawFrame(Opcode.binary, body.subarray(0, 3), { mask, isLast: false }),
        rawFrame(Opcode.continuation, body.subarray(3), { mask: (mask ^ 0x12345678) >>> 0 }),
      ]);
      const expected = [brief(body), [Opcode.ping, 'hello'], brief(body)];
      for (const [head, rest] of cuts(bytes) as [Buffer, Buffer][])
        for (const tail of cuts(rest)) assert.deepEqual(readAll([head, ...tail], { masked: true }), expected);
    });
  }

  it('is taken off a large message, whatever the sizes of its pieces', () => {
    const body = patterned(150_000);
    const bytes = rawFrame(Opcode.binary, body, { mask: 0x8badf00d });
    for (let seed = 1; seed <= 20; seed++) {
      const pieces = inPieces(bytes, seed * 531, new Random(seed));
      assert.deepEqual(readAll(pieces, { masked: true }), [brief(body)], `seed ${seed}`);
    }
  });
});

describe('what breaks the protocol is refused, and what came before it is read:', () => {
  const LARGE_CONTROL = 'controls the connection and is larger than such frames may be';
  const begun = rawFrame(Opcode.binary, 'begun', { isLast: false });
  const cases: [what: string, bytes: Buffer, sentence: string, options?: Options & { code?: CloseCode }][] = [
    ['a mask of a server', rawFrame(Opcode.binary, 'x', { mask: 0 }), 'is masked by a server'],
    ['a mask of a server on a ping', rawFrame(Opcode.ping, 'x', { mask: 1 }), 'is masked by a server'],
    ['no mask of a client', rawFrame(Opcode.binary, 'x'), 'is not masked by a client', { masked: true }],
    ['no mask of a client on a close', rawFrame(Opcode.close), 'is not masked by a client', { masked: true }],
    ...[0x40, 0x20, 0x10, 0x70].map((bits) => [
      `the bits ${bits.toString(16)} of an extension`,
      rawFrame(Opcode.binary, 'x', { bits }),
      'uses an extension that was not agreed upon',
    ]),
    ['an extension on a ping', rawFrame(Opcode.ping, '', { bits: 0x40 }), 'uses an extension that was not agreed upon'],
    ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => [
      `the opcode ${opcode}`,
      rawFrame(opcode, 'x'),
      `has the unknown opcode ${opcode}`,
    ]),
    ['an end of nothing', rawFrame(Opcode.continuation, 'x'), 'continues a message that has not begun'],
    ['a middle of nothing', rawFrame(Opcode.continuation, 'x', { isLast: false }), 'continues a message that has not begun'],
    ['a message within another', Buffer.concat([begun, rawFrame(Opcode.binary, 'x')]), 'begins a message within another'],
    [
      'a message that begins within another',
      Buffer.concat([begun, rawFrame(Opcode.binary, 'x', { isLast: false })]),
      'begins a message within another',
    ],
    [
      'a second end',
      Buffer.concat([begun, rawFrame(Opcode.continuation, 'x'), rawFrame(Opcode.continuation, 'x')]),
      'continues a message that has not begun',
    ],
    ['a ping of 126 bytes', rawFrame(Opcode.ping, Buffer.alloc(126)), LARGE_CONTROL],
    ['a pong that announces 64 KiB', rawFrame(Opcode.pong, '', { announced: 65_536 }), LARGE_CONTROL],
    ['a close that announces 2^63', rawFrame(Opcode.close, '', { announced: 2 ** 63 }), LARGE_CONTROL],
    ...[Opcode.close, Opcode.ping, Opcode.pong].map((opcode) => [
      `a fragment of a control frame ${opcode}`,
      rawFrame(opcode, 'x', { isLast: false }),
      LARGE_CONTROL,
    ]),
    ['text', rawFrame(Opcode.text, 'hello'), 'it sends text', { code: CloseCode.unsupportedData }],
    ['the beginning of text', rawFrame(Opcode.text, '', { isLast: false }), 'it sends text', { code: CloseCode.unsupportedData }],
  ] as [string, Buffer, string, (Options & { code?: CloseCode })?][];
  for (const [what, bytes, said, { masked = false, code = CloseCode.protocolError } = {}] of cases) {
    it(what, () => {
      const key = masked ? { mask: 0x01020304 } : {};
      const good = rawFrame(Opcode.binary, 'good', key);
      const sentence = code === CloseCode.protocolError ? `it sends a WebSocket frame that ${said}` : said;
      const whole = Buffer.concat([good, bytes, good]);
      for (const pieces of [...cuts(whole), inPieces(whole, 1, new Random(1))]) {
        const seen = readAll(pieces, { masked });
        assert.deepEqual([seen[0], seen.at(-1)], ['good', [code, sentence]]);
      }
    });
  }
});

describe('a message beyond the limit', () => {
  const LIMIT = 70_000;
  const refusal = [CloseCode.tooLarge, 'it sends a message of more than 70000 bytes'];
  const begun = rawFrame(Opcode.binary, Buffer.alloc(LIMIT - 10), { isLast: false });
  const cases: [what: string, before: Buffer[], header: Buffer][] = [
    ['in one frame', [], rawFrame(Opcode.binary, '', { announced: LIMIT + 1 })],
    ['in its first frame', [], rawFrame(Opcode.binary, '', { announced: LIMIT + 1, isLast: false })],
    ...[2 ** 32, 2 ** 32 + 1, 2 ** 53, 2 ** 63].map(
      (size) => [`that announces ${size} bytes`, [], rawFrame(Opcode.binary, '', { announced: size })] as [string, [], Buffer],
    ),
    ['with its last frame', [begun], rawFrame(Opcode.continuation, '', { announced: 11 })],
    ['with a frame in its middle', [begun], rawFrame(Opcode.continuation, '', { announced: 11, isLast: false })],
    [
      'with many frames',
      [begun, ...Array.from({ length: 10 }, () => rawFrame(Opcode.continuation, 'x', { isLast: false }))],
      rawFrame(Opcode.continuation, '', { announced: 1 }),
    ],
    [
      'behind one that is not',
      [begun, rawFrame(Opcode.continuation, Buffer.alloc(10)), begun],
      rawFrame(Opcode.continuation, '', { announced: 11 }),
    ],
  ];
  for (const [what, before, header] of cases) {
    it(`${what} is refused when its header is there`, () => {
      const options = { maxMessageBytes: LIMIT };
      const most = header.subarray(0, -1);
      assert.ok(!readAll([...before, most], options).some((said) => Array.isArray(said)));
      assert.deepEqual(readAll([...before, header], options).at(-1), refusal);
      assert.deepEqual(readAll([Buffer.concat([...before, header])], options).at(-1), refusal);
    });
  }

  it('is refused with the mask of a client on it', () => {
    const header = rawFrame(Opcode.binary, '', { announced: LIMIT + 1, mask: 7 });
    assert.deepEqual(readAll([header], { maxMessageBytes: LIMIT, masked: true }), [refusal]);
  });

  it('is not one of just as many bytes, in one frame or in several, again and again', () => {
    const whole = rawFrame(Opcode.binary, Buffer.alloc(LIMIT));
    const bytes = Buffer.concat([whole, begun, rawFrame(Opcode.continuation, Buffer.alloc(10)), whole]);
    for (const most of [1000, 300_000]) {
      const expected = brief(Buffer.alloc(LIMIT));
      const pieces = inPieces(bytes, most, new Random(most));
      assert.deepEqual(readAll(pieces, { maxMessageBytes: LIMIT }), [expected, expected, expected]);
    }
  });
});

describe('memory', () => {
  it('is not taken for what is only announced', () => {
    const announced = rawFrame(Opcode.binary, 'x', { announced: 64 * MIB });
    const before = process.memoryUsage().arrayBuffers;
    const readers = Array.from({ length: 10 }, () => {
      const nothing = () => assert.fail('nothing is there to be told');
      const reader = new MessageReader({ masked: false, maxMessageBytes: 64 * MIB, message: nothing, control: nothing });
      reader.read(announced);
      return reader;
    });
    const held = process.memoryUsage().arrayBuffers - before;
    assert.ok(held < 2 * MIB, `${readers.length} readers hold ${held} bytes`);
  });

  it('grows with what comes, to twice as much at most', () => {
    const sizes = [1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 128 * KIB + 1, 3 * MIB];
    // Much is announced, or nobody knows how much there will be.
    for (const [size, more] of sizes.flatMap((each) => [[each, 64 * MIB] as const, [each, undefined] as const])) {
      const growing = new GrowingBuffer();
      const bytes = patterned(size);
      for (const piece of inPieces(bytes, 9000, new Random(size))) growing.append(piece, more);
      assert.equal(growing.length, size);
      const all = growing.take();
      assert.ok(all.equals(bytes));
      assert.ok(all.buffer.byteLength <= Math.max(64 * KIB, 2 * size), `${all.buffer.byteLength} for ${size}`);
      assert.equal(growing.length, 0);
    }
  });

  it('is no more than was announced, where all of it comes', () => {
    for (const size of [1, 1000, 64 * KIB + 1, 100_000, 3 * MIB]) {
      const growing = new GrowingBuffer();
      let left = size;
      for (const piece of inPieces(patterned(size), 9000, new Random(size))) {
        left -= piece.length;
        growing.append(piece, left);
      }
      assert.equal(growing.take().buffer.byteLength, size);
    }
  });

  it('of a message is its own: what comes next does not change it', () => {
    const growing = new GrowingBuffer();
    growing.append(Buffer.from('first'), 100);
    const first = growing.take();
    growing.append(Buffer.from('other'), 100);
    assert.equal(growing.take().toString(), 'other');
    assert.equal(first.toString(), 'first');
  });

  it('is not taken anew for every fragment', (t) => {
    const { mock } = t.mock.method(Buffer, 'allocUnsafeSlow');
    const bytes = Buffer.concat([
      rawFrame(Opcode.binary, Buffer.alloc(100_000), { isLast: false }),
      ...Array.from({ length: 1000 }, () => rawFrame(Opcode.continuation, 'x', { isLast: false })),
      rawFrame(Opcode.continuation, 'x'),
    ]);
    assert.deepEqual(readAll([bytes]), [brief(Buffer.concat([Buffer.alloc(100_000), Buffer.from('x'.repeat(1001))]))]);
    const times = mock.callCount();
    assert.ok(times > 0 && times < 10, `it was taken ${times} times`);
  });
});

describe('a reader that is stopped', () => {
  /** Is stopped with the first that it tells. */
  function stopping(): { reader: MessageReader; told: string[] } {
    const told: string[] = [];
    const stop = (bytes: Buffer): void => {
      told.push(bytes.toString());
      reader.stop();
    };
    const reader = new MessageReader({ masked: false, maxMessageBytes: MIB, message: stop, control: (_, body) => stop(body) });
    return { reader, told };
  }

  const first: [what: string, bytes: Buffer][] = [
    ['a message', rawFrame(Opcode.binary, 'first')],
    [
      'a message in fragments',
      Buffer.concat([rawFrame(Opcode.binary, 'fi', { isLast: false }), rawFrame(Opcode.continuation, 'rst')]),
    ],
    ['a control frame', rawFrame(Opcode.ping, 'first')],
  ];
  for (const [what, bytes] of first) {
    it(`by ${what} reads nothing more, also of the same chunk`, () => {
      // What follows would be refused if it was read.
      const rest = Buffer.concat([rawFrame(Opcode.ping, 'second'), rawFrame(Opcode.binary, 'third'), rawFrame(Opcode.text)]);
      for (const pieces of cuts(Buffer.concat([bytes, rest]))) {
        const { reader, told } = stopping();
        for (const piece of pieces) reader.read(piece);
        reader.read(rest);
        assert.deepEqual(told, ['first']);
      }
    });
  }

  const begun: [what: string, bytes: Buffer][] = [
    ['a message', rawFrame(Opcode.binary, 'a message')],
    ['a message with a longer header', rawFrame(Opcode.binary, 'x'.repeat(300))],
    ['a control frame', rawFrame(Opcode.ping, 'ping')],
    [
      'the last fragment',
      Buffer.concat([rawFrame(Opcode.binary, 'x', { isLast: false }), rawFrame(Opcode.continuation, 'last')]),
    ],
  ];
  for (const [what, bytes] of begun) {
    it(`in the middle of ${what} does not tell it when the rest comes`, () => {
      for (const [head, rest] of cuts(bytes).slice(0, -1) as [Buffer, Buffer][]) {
        const { reader, told } = stopping();
        reader.read(head);
        reader.stop();
        reader.read(rest);
        assert.deepEqual(told, [], `stopped after ${head.length} bytes`);
      }
    });
  }
});

describe('bytes that somebody spoilt are read or refused, the same in whatever pieces they come:', () => {
  for (const { role, dialled } of ROLES) {
    it(`those of a ${role}`, () => {
      const key = dialled ? { mask: 0x5ca1ab1e } : {};
      const good = Buffer.concat([
        rawFrame(Opcode.binary, patterned(300), key),
        rawFrame(Opcode.ping, 'hello', key),
        rawFrame(Opcode.binary, 'one', { ...key, isLast: false }),
        rawFrame(Opcode.continuation, '', { ...key, isLast: false }),
        rawFrame(Opcode.pong, '', key),
        rawFrame(Opcode.continuation, patterned(126), key),
        rawFrame(Opcode.binary, '', key),
        rawFrame(Opcode.close, Buffer.of(3, 232), key),
      ]);
      let refused = 0;
      for (let seed = 1; seed <= 500; seed++) {
        const random = new Random(seed);
        const bad = spoilt(good, random);
        const said = readAll([bad], { masked: dialled, maxMessageBytes: 100_000 });
        const last = said.at(-1);
        if (Array.isArray(last) && last[0] >= CloseCode.normal) refused++;
        const pieces = inPieces(bad, 60, random);
        assert.deepEqual(readAll(pieces, { masked: dialled, maxMessageBytes: 100_000 }), said, `seed ${seed}`);
      }
      assert.ok(refused > 50 && refused < 450, `${refused} of 500 refused`);
    });
  }
});

/** Once it has been handed to the system. */
function sent(ws: WebSocket, message: Buffer): Promise<void> {
  return new Promise((resolve, reject) => ws.send(message, (error) => (error ? reject(error) : resolve())));
}
