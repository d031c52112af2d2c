import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { spoilt } from '../../../../test/support/bad-bytes.ts';
import { Random } from '../../../../test/simulation/random.ts';
import { field } from '../field.ts';
import { CompressionError } from './compression-error.ts';
import { HpackDecoder } from './decoder.ts';
import { HpackEncoder } from './encoder.ts';

const LIMITS = { headerFields: 50, headerBytes: 4096 };

describe('blocks of fields', () => {
  it('are read as they were written, whatever was written before on the connection', () => {
    for (let seed = 1; seed <= 100; seed++) {
      const random = new Random(seed);
      const [encoder, decoder] = [new HpackEncoder(), new HpackDecoder()];
      for (let blocks = 20; blocks > 0; blocks--) {
        const fields = Array.from({ length: random.integer(0, 12) }, () =>
          field(
            random.pick([':path', 'accept', 'x-long', `x-${random.integer(0, 90)}`]),
            'v'.repeat(random.pick([0, 1, 30, 126, 127, 200])),
          ),
        );
        const read = decoder.decode(encoder.encode(fields), { headerFields: 1000, headerBytes: 1024 * 1024 });
        assert.deepEqual(
          read?.map(({ name, value }) => [name, value]),
          fields.map(({ name, value }) => [name, value]),
          `seed ${seed}`,
        );
      }
    }
  });

  it('that somebody spoilt are read or refused, and never more than the limits of them', () => {
    let refused = 0;
    // RFC 7541, appendix C: plain, in Huffman's code, and with entries of the table.
    const good = [
      '828684410f7777772e6578616d706c652e636f6d',
      '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565',
      '828684418cf1e3c2e5f23a6ba0ab90f4ff',
      '828684be58086e6f2d6361636865',
    ].map((text) => Buffer.from(text, 'hex'));
    for (let seed = 1; seed <= 5000; seed++) {
      const random = new Random(seed);
      const decoder = new HpackDecoder();
      try {
        for (const block of [random.pick(good), spoilt(random.pick(good), random)]) {
          const fields = decoder.decode(block, LIMITS) ?? [];
          const bytes = fields.reduce((sum, { name, value }) => sum + name.length + value.length + 32, 0);
          assert.ok(fields.length <= LIMITS.headerFields && bytes <= LIMITS.headerBytes, `seed ${seed}`);
        }
      } catch (error) {
        if (!(error instanceof CompressionError)) throw new Error(`seed ${seed}`, { cause: error });
        refused++;
      }
    }
    assert.ok(refused > 1000 && refused < 4950, `${refused} of 5000 refused`);
  });
});
