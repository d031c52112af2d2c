import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inPieces, spoilt } from '../../../test/support/bad-bytes.ts';
import { Random } from '../../../test/simulation/random.ts';
import { Encoder } from './wire/encoder.ts';
import { CREDIT, FREED, HubFrameReader, HubProtocolError, MESSAGE, OUTCOME, RECALL, TAKEN, writeHubFrame } from './hub-frames.ts';

function read(pieces: readonly Buffer[]): unknown[] {
  const said: unknown[] = [];
  const reader = new HubFrameReader((type, body) => said.push([type, body.toString('hex')]));
  try {
    for (const piece of pieces) reader.push(piece);
  } catch (error) {
    if (!(error instanceof HubProtocolError)) throw error;
    said.push(error.message);
  }
  return said;
}

function written(): Buffer {
  const encoder = new Encoder();
  writeHubFrame(encoder, CREDIT, 10);
  writeHubFrame(encoder, RECALL);
  writeHubFrame(encoder, MESSAGE, 1, 2, 3);
  writeHubFrame(encoder, OUTCOME, 7);
  writeHubFrame(encoder, TAKEN, 7, 2 ** 32 - 1);
  writeHubFrame(encoder, FREED, 65_536);
  return encoder.take();
}

describe('frames between hubs', () => {
  it('are the same in whatever pieces they come', () => {
    const whole = read([written()]);
    assert.deepEqual(whole[0], [CREDIT, '0000000a']);
    assert.equal(whole.length, 6);
    for (let seed = 1; seed <= 500; seed++)
      assert.deepEqual(read(inPieces(written(), 12, new Random(seed))), whole, `seed ${seed}`);
  });

  it('that somebody spoilt are read or refused, the same in whatever pieces they come', () => {
    let refused = 0;
    for (let seed = 1; seed <= 2000; seed++) {
      const random = new Random(seed);
      const bad = spoilt(written(), random);
      const said = read([bad]);
      if (typeof said.at(-1) === 'string') refused++;
      assert.deepEqual(read(inPieces(bad, 12, random)), said, `seed ${seed}: ${bad.toString('hex')}`);
    }
    assert.ok(refused > 200 && refused < 1900, `${refused} of 2000 refused`);
  });
});
