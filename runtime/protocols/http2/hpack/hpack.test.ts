import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Field, field, type Fields, sizeOf } from '../field.ts';
import { CompressionError } from './compression-error.ts';
import { HpackDecoder, TABLE_BYTES } from './decoder.ts';
import { HpackEncoder } from './encoder.ts';

const LIMITS = { headerFields: 1000, headerBytes: 1024 * 1024 };

const pairs = (fields: Fields | undefined): string[] | undefined => fields?.map(({ name, value }) => `${name}: ${value}`);
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

/** What a decoder makes of blocks, one after the other. */
function decoded(...blocks: string[]): (string[] | undefined)[] {
  const decoder = new HpackDecoder();
  return blocks.map((block) => pairs(decoder.decode(hex(block), LIMITS)));
}

/** One end writes, and another reads. */
class Pair {
  readonly encoder = new HpackEncoder();
  readonly decoder = new HpackDecoder();

  /** Returns the block's size. */
  carries(fields: Field[]): number {
    const block = this.encoder.encode(fields);
    assert.deepEqual(pairs(this.decoder.decode(block, LIMITS)), pairs(fields));
    return block.length;
  }
}

describe('a decoder of HPACK', () => {
  const requests = [
    [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'],
    [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com', 'cache-control: no-cache'],
    [':method: GET', ':scheme: https', ':path: /index.html', ':authority: www.example.com', 'custom-key: custom-value'],
  ];

  it('reads the requests of RFC 7541, appendix C.3', () => {
    const first = '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d';
    const third = '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65';
    assert.deepEqual(decoded(first, '8286 84be 5808 6e6f 2d63 6163 6865', third), requests);
  });

  it('reads the same in Huffman’s code: appendix C.4', () => {
    const first = '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff';
    const third = '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf';
    assert.deepEqual(decoded(first, '8286 84be 5886 a8eb 1064 9cbf', third), requests);
  });

  it('reads what may not be put into a table: appendix C.2.3', () => {
    const [secret] = new HpackDecoder().decode(hex('1008 7061 7373 776f 7264 0673 6563 7265 74'), LIMITS)!;
    assert.deepEqual(secret, { name: 'password', value: 'secret', isSensitive: true, isLegal: true });
  });

  it('knows which fields may be in no message', () => {
    const isLegal = (name: string, value: string) => {
      const block = Buffer.concat([
        Buffer.of(0, name.length),
        Buffer.from(name, 'latin1'),
        Buffer.of(value.length),
        Buffer.from(value, 'latin1'),
      ]);
      return new HpackDecoder().decode(block, LIMITS)![0]!.isLegal;
    };
    for (const [name, value] of [
      ['a', 'b'],
      [':a', ''],
      ['x-1_~', 'a\tb \u00e9'],
    ] as const)
      assert.ok(isLegal(name, value), name);
    for (const [name, value] of [
      ['A', 'b'],
      ['', 'b'],
      ['a b', ''],
      ['a:', ''],
      ['a', 'b\r\nc: d'],
      ['a', '\0'],
      ['a', ' b'],
      ['a', 'b\t'],
      ['a', '\u007f'],
    ] as const)
      assert.ok(!isLegal(name, value), JSON.stringify([name, value]));
  });

  for (const [what, block] of [
    ['a field that is in no table', 'be'],
    ['the field 0', '80'],
    ['a number that is too large', 'ff ff ff ff ff ff ff ff 0f'],
    ['a number without an end', 'ff ff'],
    ['a string that is longer than the block', '00 05 61'],
    ['a string without a length', '00'],
    ['Huffman’s code of the end of a string', '00 84 ff ff ff fc 00'],
    ['Huffman’s code with more than 7 bits behind it', '00 82 1f ff 00'],
    ['Huffman’s code with zeros behind it', '00 81 18 00'],
    ['a table that is larger than it may be', '3f e2 1f'],
    ['the size of a table behind a field', '82 20'],
  ] as const)
    it(`takes ${what} for what it is`, () => {
      assert.throws(() => decoded(block), CompressionError);
    });

  it('says nothing of fields that are more than its limits, and goes on with the next ones', () => {
    const decoder = new HpackDecoder();
    const block = new HpackEncoder().encode([field('a', 'b'), field('c', 'd')]);
    assert.equal(decoder.decode(block, { headerFields: 1, headerBytes: 1000 }), undefined);
    assert.deepEqual(pairs(decoder.decode(hex('bf be'), LIMITS)), ['a: b', 'c: d']);
    assert.equal(decoder.decode(hex('bf be'), { headerFields: 2, headerBytes: 67 }), undefined);
    assert.deepEqual(pairs(decoder.decode(hex('bf be'), { headerFields: 2, headerBytes: 68 })), ['a: b', 'c: d']);
  });
});

describe('an encoder of HPACK', () => {
  it('is understood, whatever is written, also when tables are full', () => {
    const pair = new Pair();
    // Numbers that look random, and are the same each time (a linear congruential generator).
    let state = 1;
    const random = (below: number): number => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      return Math.floor((state / 2 ** 31) * below);
    };
    const names = [':path', ':status', 'content-type', 'cookie', 'authorization', 'etag', 'x-a', 'x-b', 'x-long-name'.repeat(20)];
    for (let at = 0; at < 2000; at++) {
      if (at % 100 === 99) pair.encoder.limitTable(random(2) * random(5000));
      pair.carries(
        Array.from({ length: random(12) }, () => ({
          ...field(names[random(names.length)]!, `${random(30)}`.repeat(random(40) === 0 ? 2500 : random(60))),
          isSensitive: random(20) === 0,
        })),
      );
    }
  });

  it('says what comes again in one byte', () => {
    const pair = new Pair();
    const fields = [field(':status', '200'), field('content-type', 'application/grpc'), field('x-mine', 'value')];
    assert.ok(pair.carries(fields) > 20);
    assert.equal(pair.carries(fields), 3);
  });

  it('forgets what the other end has dropped, though its table has grown again since', () => {
    const pair = new Pair();
    const fields = [field('x-mine', 'value')];
    const first = pair.carries(fields);
    pair.encoder.limitTable(0);
    pair.encoder.limitTable(TABLE_BYTES);
    // One byte for the size of nothing, three for that of all.
    assert.equal(pair.carries(fields), first + 4);
    pair.encoder.limitTable(10);
    assert.equal(pair.carries(fields), first + 1);
    assert.equal(pair.carries(fields), first);
  });

  it('puts no secrets into a table, and says so', () => {
    const { encoder } = new Pair();
    for (const secret of [
      field('authorization', 'Bearer x'),
      field('cookie', 'short'),
      { ...field('x-secret', 'a'), isSensitive: true },
      { ...field('accept-encoding', 'gzip, deflate'), isSensitive: true },
    ]) {
      encoder.encode([secret]);
      const [again] = new HpackDecoder().decode(encoder.encode([secret]), LIMITS)!;
      assert.deepEqual(again, { ...secret, isSensitive: true });
    }
  });

  it('keeps no more than the table may hold', () => {
    const { encoder } = new Pair();
    const large = field('x', 'y'.repeat(TABLE_BYTES));
    assert.ok(sizeOf(large) > TABLE_BYTES);
    assert.equal(encoder.encode([large]).length, encoder.encode([large]).length);
  });
});
