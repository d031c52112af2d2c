import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rate } from './rate.ts';

test('a rate is what a total grew by, a second, in two digits; it tells when it is another one', () => {
  const rate = new Rate();
  const taken = (total: number, seconds = 5) => [rate.take(total, seconds), rate.perSecond];
  assert.deepEqual(taken(0), [false, undefined]);
  assert.deepEqual(taken(617), [true, 120], '123.4 a second');
  assert.deepEqual(taken(1317), [false, 120], '140 a second is no news');
  assert.deepEqual(taken(1319), [true, 0.4]);
  assert.deepEqual(taken(1319), [true, undefined]);
  assert.deepEqual(taken(10), [false, undefined], 'what was made anew counts from 0');
  assert.deepEqual(taken(20), [true, 2]);
  assert.ok(rate.take(40, 5, 10));
  assert.equal(rate.perSecond, undefined, 'less than what counts');
});
