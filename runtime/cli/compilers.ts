import { setFlagsFromString } from 'node:v8';
import { eachCarried } from '../link/carried.ts';
import { eachSecond } from './processor-time.ts';

/** What links have carried before it counts as work. Bytes. */
const WORK_BYTES = 512 * 1024;
/** Of the processor's time in a second: from this on a process is busy. Milliseconds. */
const BUSY_CPU_MS = 500;
/** So many busy seconds in a row are work as well. */
const BUSY_SECONDS = 5;

/**
 * Has V8 interpret, and compile nothing, until there is work that repeats: links carry something, or the process is busy for seconds. Its
 * compilers bring 3 MB into a router that is idle and 15 MB into one that has read a hundred services once, which then stay. Call it before anything
 * else is done.
 */
export function compileOnceBusy(): void {
  let busySeconds = 0;
  const begin = () => {
    stopLooking();
    unfollow();
    setCompiling(true);
  };
  const stopLooking = eachSecond((usedMs) => {
    busySeconds = usedMs < BUSY_CPU_MS ? 0 : busySeconds + 1;
    if (busySeconds === BUSY_SECONDS) begin();
  });
  const unfollow = eachCarried(WORK_BYTES, begin);
  setCompiling(false);
}

/** By V8's filters of function names: a compiler that this version of Node does not use stays unused. */
function setCompiling(isCompiling: boolean): void {
  for (const compiler of ['sparkplug', 'maglev', 'turbo']) setFlagsFromString(`--${compiler}-filter=${isCompiling ? '*' : '~'}`);
}
