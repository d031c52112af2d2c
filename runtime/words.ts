/** How people are told about times and numbers: the same words everywhere. */

const UNITS: [name: string, seconds: number][] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
];

/** `3 minutes`, in the largest unit that fits, rounded down. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [name, size] = UNITS.find(([, least]) => seconds >= least) ?? ['second', 1];
  return counted(Math.floor(seconds / size), name);
}

/** `3 minutes ago`; `just now` for the last few seconds and for clocks that disagree. */
export function ago(time: string, now = new Date()): string {
  const passed = now.getTime() - Date.parse(time);
  return passed < 5000 ? 'just now' : `${duration(passed)} ago`;
}

/** `1 link`, `2 links`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** A round trip: `0.4 ms`, `23 ms`; nothing where it was not measured yet. */
export function milliseconds(value: number | undefined): string {
  if (value === undefined) return '';
  return value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`;
}
