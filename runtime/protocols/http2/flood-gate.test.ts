import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FloodGate } from './flood-gate.ts';

it('a flood gate lets a burst pass, and then so many a second', () => {
  const gate = new FloodGate({ burst: 3, perSecond: 2 }, 0);
  const at = (ms: number) => gate.pass(ms);
  assert.deepEqual([at(0), at(0), at(0), at(0)], [true, true, true, false]);
  assert.deepEqual([at(500), at(500)], [true, false]);
  assert.deepEqual([at(1500), at(1500), at(1500)], [true, true, false]);
  assert.deepEqual([at(60_000), at(60_000), at(60_000), at(60_000)], [true, true, true, false]);
});
