import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atMost } from './at-most.ts';

test('so many run at a time, the others in the order of their calls; one that fails gives its place on', async () => {
  const inTurn = atMost(2);
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const calls = [0, 1, 2, 3].map((number) =>
    inTurn(async () => {
      begun.push(number);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (number === 0) throw new Error('failed');
      return number;
    }),
  );
  assert.deepEqual(begun, [0, 1]);
  ends[0]!();
  await assert.rejects(calls[0]!, /failed/);
  assert.deepEqual(begun, [0, 1, 2]);
  ends[1]!();
  assert.equal(await calls[1], 1);
  assert.deepEqual(begun, [0, 1, 2, 3]);
  ends[2]!();
  ends[3]!();
  assert.deepEqual(await Promise.all(calls.slice(2)), [2, 3]);
  assert.equal(await inTurn(() => Promise.resolve('later')), 'later');
});
