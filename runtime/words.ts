/** How long ago a time was, as people say it: `just now`, `40 seconds ago`, `3 minutes ago`, `2 days ago`. */
export function ago(time: string | number | Date, now: number = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - new Date(time).getTime()) / 1000));
  if (seconds < 5) return 'just now';
  for (const [size, unit] of UNITS) if (seconds >= size) return `${counted(Math.floor(seconds / size), unit)} ago`;
  return `${counted(seconds, 'second')} ago`;
}

/** `1 site`, `3 sites`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

const UNITS: [number, string][] = [
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
];
