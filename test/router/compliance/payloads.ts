import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { before, it } from 'node:test';
import type { Check } from './checks.ts';
import { type Door, LARGEST_PAYLOAD } from './protocol.ts';

export const payloads: Check = (line, protocol) => {
  let door: Door;
  before(async () => {
    door = await line.echo(protocol);
  });

  const { largestPayload = LARGEST_PAYLOAD } = protocol;
  const sizes = [0, 1, 4096, 4097, 65_537].filter((size) => size < largestPayload);
  for (const size of [...sizes, largestPayload])
    it(`carries ${size} bytes there and back unchanged`, async () => {
      const payload = randomBytes(size);
      assert.equal(sha256(await protocol.ask(door, payload)), sha256(payload));
    });
};

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
