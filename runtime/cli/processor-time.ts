/** How often a process is looked at. Milliseconds. */
const LOOK_EVERY_MS = 1000;

const lookers = new Set<(usedMs: number) => void>();
let timer: NodeJS.Timeout | undefined;

/** Calls `look` every second with the processor's time that this process has used since. Milliseconds. Returns what ends that. */
export function eachSecond(look: (usedMs: number) => void): () => void {
  lookers.add(look);
  timer ??= begin();
  return () => {
    lookers.delete(look);
    if (lookers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function begin(): NodeJS.Timeout {
  let before = process.cpuUsage();
  return setInterval(() => {
    const { user, system } = process.cpuUsage(before);
    before = process.cpuUsage();
    for (const look of lookers) look((user + system) / 1000);
  }, LOOK_EVERY_MS).unref();
}
