import assert from 'node:assert/strict';
import { constants, type NodeGCPerformanceDetail, PerformanceObserver } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { it } from 'node:test';
import { carried } from '../link/carried.ts';
import { collectYoungFirst } from './collector.ts';

const CHUNK_BYTES = 64 * 1024;
const TURNS = 200;
const CHUNKS_A_TURN = 64;

it('collects the young while links carry bytes, and leaves the rest of the heap alone', async () => {
  collectYoungFirst();
  const collections = { young: 0, whole: 0 };
  const observer = new PerformanceObserver((list) => {
    for (const { detail } of list.getEntries() as unknown as { detail: NodeGCPerformanceDetail }[])
      if (detail.kind === constants.NODE_PERFORMANCE_GC_MINOR) collections.young++;
      else collections.whole++;
  });
  observer.observe({ entryTypes: ['gc'] });
  let mostOutside = 0;
  for (let turn = 0; turn < TURNS; turn++) {
    for (let chunk = 0; chunk < CHUNKS_A_TURN; chunk++) carried(Buffer.allocUnsafeSlow(CHUNK_BYTES).length);
    mostOutside = Math.max(mostOutside, process.memoryUsage().arrayBuffers);
    await setImmediate();
  }
  observer.disconnect();
  // 800 MB, of which each 64 would have had the whole heap marked.
  assert.ok(collections.young >= 100, `the young were collected ${collections.young} times`);
  assert.ok(collections.whole <= 3, `the whole heap was collected ${collections.whole} times`);
  assert.ok(mostOutside < 32 * 1024 * 1024, `${mostOutside} bytes were kept`);
});
