/** How people are told about times, numbers and names: the same words everywhere. */
import type { Protocol, StandIn } from './api/types.ts';

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

/** `ends in 12 days`, `ended 3 days ago`. */
export function endsWhen(time: string, now = new Date()): string {
  const left = Date.parse(time) - now.getTime();
  return left > 0 ? `ends in ${duration(left)}` : `ended ${ago(time, now)}`;
}

/** Where something is reached: `203.0.113.7:8443`, `[2001:db8::7]:8443`; where a tunnel leads there, its URL. */
export function reachedAt({ host, port, tunnel }: { host: string; port: number; tunnel?: string | undefined }): string {
  return tunnel ?? `${hostInUrl(host)}:${port}`;
}

/** As RFC 3986 writes it: an IPv6 address in brackets. */
export function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** `1 link`, `2 links`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `west ×3, east`: each name once, in the order of their first, with how often it stands there. */
export function tally(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => (count > 1 ? `${name} ×${count}` : name)).join(', ');
}

/** Who stands in for the servers of a service: `ada takes over`, `ada takes some (baggage: caravan=ada)`, `ada listens in`. */
export function standsIn(site: string, { how, header }: StandIn): string {
  const does = { 'take-over': 'takes over', 'take-some': 'takes some', 'listen-in': 'listens in' }[how];
  return `${site} ${does}${header === undefined ? '' : ` (${header})`}`;
}

/** How much comes in a second at a listener: `14 req/s`, `0.4 conn/s`; nothing where nothing does. */
export function perSecond(value: number | undefined, type: Protocol): string {
  const what = type === 'http' || type === 'http2' ? 'req' : type === 'udp' ? 'flows' : 'conn';
  return value === undefined ? '' : `${value} ${what}/s`;
}

/** `812 B`, `4.1 MiB`. */
export function bytes(count: number): string {
  const unit = Math.min(4, Math.floor(Math.log2(Math.max(1, count)) / 10));
  return `${(count / 1024 ** unit).toFixed(unit === 0 ? 0 : 1)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][unit]}`;
}

/** A round trip: `0.4 ms`, `23 ms`; nothing where it was not measured yet. */
export function milliseconds(value: number | undefined): string {
  if (value === undefined) return '';
  return value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`;
}

/**
 * The text with its control characters written out, as JSON does: `\u001b`. Other sites choose names and sentences that end up in this
 * terminal, where such a character could move the cursor, rewrite lines, or turn text around.
 */
export function printable(text: string): string {
  return text.replaceAll(
    CONTROL,
    (character) => SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The same, of whole lines: the ends of lines stay. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** Those of C0 and C1, the separators of lines and paragraphs, and what changes the direction of text. */
const CONTROL = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const SHORT: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
