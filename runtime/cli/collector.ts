import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { eachCarried } from '../link/carried.ts';
import { eachSecond } from './processor-time.ts';

/** Of the processor's time in a second: up to this a process counts as idle. Milliseconds. */
const IDLE_CPU_MS = 20;
/**
 * What a process has grown by since the last time, for it to be worth while: shapes of objects of which there are none at the moment are forgotten, and
 * what V8 compiled for them with those. Bytes.
 */
const WORTHWHILE_BYTES = 16 * 1024 * 1024;

/** Links carry so much between two collections of the young. Bytes. */
const YOUNG_BYTES = 4 * 1024 * 1024;

/**
 * Makes V8 collect the way that suits a process which moves bytes. Call it before anything else is done.
 *
 * Every chunk that a socket reads is memory outside V8's heap. For each 64 MB of it V8 marks the whole heap, though a cheap collection of the young frees
 * nearly all of it: at full speed that was over a quarter of a router's time in steps, and up to twenty pauses of 7 ms a second without. So the young
 * are collected long before that, and what they held is freed at once: another thread would contend for the memory, and what is handed out again so
 * soon is still in the processor's cache.
 */
export function collectYoungFirst(): void {
  setFlagsFromString('--no-incremental-marking');
  setFlagsFromString('--no-concurrent-array-buffer-sweeping');
  let collectYoung: (() => void) | undefined;
  eachCarried(YOUNG_BYTES, () => {
    // Not before there is need of it: it holds half a megabyte.
    collectYoung ??= youngCollector();
    collectYoung();
  });
  collectWhenIdle();
}

/** V8 hands its `gc` to contexts that are made after it was told to. */
function youngCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as (options: { type: 'minor' }) => void;
  return () => gc({ type: 'minor' });
}

/**
 * Without steps V8 does not give memory back by itself either: after a burst the young heap alone keeps 100 MB and more. So it is told to, when nothing
 * is to be done. That takes 10 ms, and 70 with 10,000 streams; the burst that follows begins slower.
 */
function collectWhenIdle(): void {
  // A Node can be built without it.
  if (!process.features.inspector) return;
  let kept = 0;
  eachSecond((usedMs) => {
    if (usedMs > IDLE_CPU_MS || process.memoryUsage.rss() < kept + WORTHWHILE_BYTES) return;
    const note = () => (kept = process.memoryUsage.rss());
    // Where it cannot be had there is nothing to tell: it is tried again once the process has grown further.
    void collect().then(note, note);
  });
}

/** The inspector's way is the one that also shrinks the young heap, in every version of Node. */
async function collect(): Promise<void> {
  const { Session } = await import('node:inspector/promises');
  const session = new Session();
  session.connect();
  await session.post('HeapProfiler.collectGarbage');
  // Not within the turn of the answer: a process whose session ends there never ends itself.
  await setImmediate();
  session.disconnect();
}
