import { setFlagsFromString } from 'node:v8';
import { eachCarried } from '../link/carried.ts';

/** What links have carried before it counts as work. Bytes. */
const WORK_BYTES = 512 * 1024;
/** How often a process is looked at. Milliseconds. */
const LOOK_EVERY_MS = 1000;
/** The processor's time in between from which on it is busy, and how many such looks in a row are work as well. Milliseconds. */
const BUSY_CPU_MS = 500;
const BUSY_LOOKS = 5;

/**
 * Has V8 interpret, and compile nothing, until there is work that repeats: links carry something, or the process is busy for seconds. Its
 * compilers bring 3 MB into a router that is idle and 15 MB into one that has read a hundred services once, which then stay. Call it before anything
 * else is done.
 */
export function compileOnceBusy(): void {
  let cpu = process.cpuUsage();
  let busyLooks = 0;
  const begin = () => {
    clearInterval(timer);
    unfollow();
    setCompiling(true);
  };
  const timer = setInterval(() => {
    const { user, system } = process.cpuUsage(cpu);
    cpu = process.cpuUsage();
    busyLooks = user + system < BUSY_CPU_MS * 1000 ? 0 : busyLooks + 1;
    if (busyLooks === BUSY_LOOKS) begin();
  }, LOOK_EVERY_MS).unref();
  const unfollow = eachCarried(WORK_BYTES, begin);
  setCompiling(false);
}

/** By V8's filters of function names: a compiler that this version of Node does not use stays unused. */
function setCompiling(isCompiling: boolean): void {
  for (const compiler of ['sparkplug', 'maglev', 'turbo']) setFlagsFromString(`--${compiler}-filter=${isCompiling ? '*' : '~'}`);
}
