/** Part of its time by which one connection ends before another: those that were made together are not made anew together. */
const SPREAD = 0.2;

/** When a connection to a server that is made now takes no further requests; see `performance.now`. `mostMs`: its greatest age. */
export function endOfAge(mostMs: number): number {
  return performance.now() + mostMs * (1 - SPREAD * Math.random());
}
