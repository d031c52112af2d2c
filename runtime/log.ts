import { inspect } from 'node:util';
import { counted, printable } from './words.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogDetails = Record<string, unknown>;

/** What a part of the runtime writes its log to. `message` is a sentence without its end; `details` are what to search for. */
export interface Log {
  debug(message: string, details?: LogDetails): void;
  info(message: string, details?: LogDetails): void;
  warn(message: string, details?: LogDetails): void;
  error(message: string, details?: LogDetails): void;
  /** The same log, with lines that name `component`. */
  named(component: string): Log;
}

interface LogOptions {
  level?: LogLevel | 'silent';
  /** `text` for people, `json` for collectors: one object a line. */
  format?: 'text' | 'json';
  write?: (line: string) => void;
  now?: () => Date;
}

const RANK = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 } as const;
/** Keys of details that are never written, whatever their value: a log is copied into tickets. */
const SECRET = /key$|code$|secret|password|credential|^token|authorization/i;
const PEM = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g;

/** The level that CARAVAN_LOG asks for: debug, info (default), warn, error or silent. */
export function logLevel(wanted = process.env['CARAVAN_LOG']): LogLevel | 'silent' {
  return wanted !== undefined && Object.hasOwn(RANK, wanted) ? (wanted as LogLevel | 'silent') : 'info';
}

/** Writes to stderr: text on a terminal, else JSON. */
export function createLog(options: LogOptions = {}): Log {
  const { level = logLevel(), now = () => new Date() } = options;
  const format = options.format ?? (process.stderr.isTTY ? 'text' : 'json');
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  const log = (component: string): Log => {
    const at = (lineLevel: LogLevel) => (message: string, details?: LogDetails) => {
      if (RANK[lineLevel] < RANK[level]) return;
      const line = { time: now(), level: lineLevel, component, message, details: clean(details) };
      write(`${printable(format === 'json' ? asJson(line) : asText(line))}\n`);
    };
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), named: log };
  };
  return log('caravan');
}

/**
 * The same log with at most `most` lines of each message in `perMs` (default: 5 a minute), for what strangers can cause: they must neither
 * fill the disk nor hide the rest. The next line tells how many were left out. Messages are few and constant; what varies is in details.
 */
export function sparing(log: Log, { most = 5, perMs = 60_000, now = Date.now } = {}): Log {
  const counts = new Map<string, { since: number; lines: number }>();
  const at = (level: LogLevel) => (message: string, details?: LogDetails) => {
    let count = counts.get(message);
    if (!count || now() - count.since >= perMs) {
      const left = count ? count.lines - most : 0;
      count = { since: now(), lines: 0 };
      counts.set(message, count);
      if (left > 0) details = { ...details, before: `${counted(left, 'more line')} like this` };
    }
    if (++count.lines <= most) log[level](message, details);
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    named: (component) => sparing(log.named(component), { most, perMs, now }),
  };
}

/** Writes nothing. */
export const silentLog: Log = createLog({ level: 'silent' });

interface Line {
  time: Date;
  level: LogLevel;
  component: string;
  message: string;
  details: Record<string, string | number | boolean>;
}

function asJson({ time, level, component, message, details }: Line): string {
  return JSON.stringify({ time: time.toISOString(), level, component, message: withoutKeys(message), ...details });
}

function asText({ time, level, component, message, details }: Line): string {
  const clock = time.toTimeString().slice(0, 8);
  const rest = Object.entries(details).map(
    ([key, value]) => `${key}=${/\s/.test(String(value)) ? JSON.stringify(value) : value}`,
  );
  return [clock, level.padEnd(5), `${component}:`, withoutKeys(message), ...rest].join(' ');
}

function clean(details: LogDetails = {}): Line['details'] {
  const entries = Object.entries(details).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, SECRET.test(key) ? '[hidden]' : plain(value)]));
}

function plain(value: unknown): string | number | boolean {
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (value instanceof Error) return withoutKeys(value.message);
  return withoutKeys(typeof value === 'string' ? value : inspect(value, { breakLength: Infinity, depth: 3 }));
}

function withoutKeys(text: string): string {
  return text.replace(PEM, '[hidden]');
}
