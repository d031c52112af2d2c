/** What annotations of a manifest keep the network from doing: only what breaks it, never a matter of taste. Pure. */
import {
  AGGREGATES,
  DISTRIBUTIONS,
  type Protocol,
  HOST_PATTERN,
  NAME_PATTERN,
  PROTOCOLS,
  TLS_MODES,
  whyNotAggregated,
  whyNotDistributed,
} from '../../runtime/api/vocabulary.ts';
import {
  ADDRESS,
  AGGREGATE,
  DISTRIBUTION,
  EXPOSURE_ANNOTATIONS,
  isServiceName,
  type OwnPort,
  PORT,
  PROXY,
  readExposure,
} from '../../runtime/kubernetes/annotations.ts';
import { SETTING_ANNOTATIONS, type SettingAnnotation, whyNotSettingOf } from '../../runtime/kubernetes/setting-annotations.ts';
import {
  TLS,
  TLS_ANNOTATIONS,
  TLS_CLIENT_CERT,
  TLS_SERVER_NAME,
  TLS_TRUST,
  type TlsAnnotation,
  whyNotTls,
} from '../../runtime/kubernetes/tls-annotations.ts';
import { isTemplated } from './templates.ts';
import type { Workload } from './workloads.ts';

/** Offsets count from the text's start. */
export interface Finding {
  start: number;
  end: number;
  /** The annotation that it is about. */
  key: string;
  message: string;
  /** The likeliest first. */
  fixes: Fix[];
  workload: Pick<Workload, 'document' | 'item'>;
}

export interface Fix {
  title: string;
  /** What it sets; null removes one. */
  annotations: Record<string, string | null>;
}

type Found = Omit<Finding, 'key' | 'workload'>;

/** More quick fixes than these are a list to read, not a fix. */
const MAX_FIXES = 5;

/** `text` is what the workloads were read from. */
export function findingsOf(text: string, workloads: readonly Workload[]): Finding[] {
  return workloads.flatMap((workload) => {
    const { annotations, annotationRanges, document, item } = workload;
    if (annotations[PROXY] === undefined) return [];
    const checks = { [PROXY]: proxy, [DISTRIBUTION]: distribution, [PORT]: ports, [ADDRESS]: address, [AGGREGATE]: aggregate };
    const check = (key: (typeof EXPOSURE_ANNOTATIONS)[number]) => {
      if (isOneOf(TLS_ANNOTATIONS, key)) return tls(workload, key);
      return isOneOf(SETTING_ANNOTATIONS, key) ? setting(workload, key) : checks[key](workload, text);
    };
    return EXPOSURE_ANNOTATIONS.flatMap((key) => {
      if (isTemplated(annotations[key] ?? '')) return [];
      const range = annotationRanges[key];
      const found = range && !range.isText ? [noText(workload, key)] : check(key);
      return found.map((finding) => ({ ...finding, key, workload: { document, ...(item === undefined ? {} : { item }) } }));
    });
  });
}

/** The whole file would be refused. */
function noText(workload: Workload, key: string): Found {
  const value = workload.annotations[key]!;
  return {
    ...valueRange(workload, key),
    message: `${key} must be a text: Kubernetes refuses ${value} without quotes.`,
    fixes: [{ title: `Write "${value}"`, annotations: { [key]: value } }],
  };
}

function proxy(workload: Workload): Found[] {
  const value = workload.annotations[PROXY]!;
  const range = valueRange(workload, PROXY);
  if (isOneOf(PROTOCOLS, value)) return [];
  const meant = MEANT[value.toLowerCase()];
  return [
    {
      ...range,
      message: `There is no protocol "${value}": use ${oneOf(PROTOCOLS)}.`,
      fixes: meant ? [use(PROXY, meant)] : likely(PROXY, value, PROTOCOLS),
    },
  ];
}

/** What people write for what the annotation calls otherwise. TLS is tcp: only its ends can read it. */
const MEANT: Record<string, Protocol> = {
  https: 'tcp',
  tls: 'tcp',
  ssl: 'tcp',
  wss: 'tcp',
  ws: 'http',
  websocket: 'http',
  grpc: 'http2',
  h2: 'http2',
  h2c: 'http2',
};

function distribution(workload: Workload): Found[] {
  const value = workload.annotations[DISTRIBUTION];
  const type = workload.annotations[PROXY];
  if (value === undefined) return [];
  const range = valueRange(workload, DISTRIBUTION);
  if (!isOneOf(DISTRIBUTIONS, value)) {
    const message = `There is no distribution "${value}": use ${oneOf(DISTRIBUTIONS)}.`;
    return [{ ...range, message, fixes: likely(DISTRIBUTION, value, DISTRIBUTIONS) }];
  }
  const wrong = type !== undefined && isOneOf(PROTOCOLS, type) ? whyNotDistributed(type, value) : undefined;
  const fixes = [use(DISTRIBUTION, 'balanced'), use(DISTRIBUTION, 'closest')];
  return wrong ? [{ ...range, message: `${wrong[0]!.toUpperCase()}${wrong.slice(1)}.`, fixes }] : [];
}

function aggregate(workload: Workload): Found[] {
  const { [AGGREGATE]: value, [PROXY]: type, [DISTRIBUTION]: how = 'balanced' } = workload.annotations;
  if (value === undefined) return [];
  const range = valueRange(workload, AGGREGATE);
  if (!isOneOf(AGGREGATES, value)) {
    const message = `Answers cannot be put together as "${value}": use ${oneOf(AGGREGATES)}.`;
    return [{ ...range, message, fixes: likely(AGGREGATE, value, AGGREGATES) }];
  }
  // What is wrong with those two is said there.
  if (type === undefined || !isOneOf(PROTOCOLS, type) || !isOneOf(DISTRIBUTIONS, how)) return [];
  const wrong = whyNotAggregated(type, how);
  const fixes = type === 'http' ? [use(DISTRIBUTION, 'multicast')] : [];
  return wrong ? [{ ...range, message: `${wrong[0]!.toUpperCase()}${wrong.slice(1)}.`, fixes }] : [];
}

function setting(workload: Workload, key: SettingAnnotation): Found[] {
  const { [key]: value, [PROXY]: type } = workload.annotations;
  // What is wrong with the protocol is said there.
  if (value === undefined || type === undefined || !isOneOf(PROTOCOLS, type)) return [];
  const message = whyNotSettingOf(key, value, type);
  const fixes: Fix[] = [{ title: `Remove ${key}`, annotations: { [key]: null } }];
  return message === undefined ? [] : [{ ...valueRange(workload, key), message, fixes }];
}

function tls(workload: Workload, key: TlsAnnotation): Found[] {
  const { kind, annotations } = workload;
  // What is wrong with the protocol is said there.
  const message = whyNotTls(key, annotations, { kind, type: annotations[PROXY] as Protocol });
  return message === undefined ? [] : [{ ...valueRange(workload, key), message, fixes: tlsFixes(workload, key) }];
}

function tlsFixes({ name, annotations }: Workload, key: TlsAnnotation): Fix[] {
  const value = annotations[key]!;
  const remove: Fix = { title: `Remove ${key}`, annotations: { [key]: null } };
  const add = (other: TlsAnnotation, text: string): Fix => ({ title: `Add ${other}: "${text}"`, annotations: { [other]: text } });
  if (annotations[PROXY] === 'udp') return [remove];
  switch (key) {
    case TLS:
      return isOneOf(TLS_MODES, value) ? [add(TLS_SERVER_NAME, name)] : likely(key, value, TLS_MODES);
    case TLS_TRUST:
      return NAME_PATTERN.test(value) ? [add(TLS_SERVER_NAME, name)] : [];
    case TLS_SERVER_NAME:
      return HOST_PATTERN.test(value) ? [add(TLS, 'true')] : [];
    case TLS_CLIENT_CERT:
      return value === 'true' ? [remove] : likely(key, value, ['true', 'false']);
    default:
      return [];
  }
}

function address(workload: Workload): Found[] {
  const { annotations, name } = workload;
  const value = annotations[ADDRESS] ?? name;
  if (isServiceName(value) || isTemplated(value)) return [];
  const better = value
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 63)
    .replace(/-+$/, '');
  return [
    {
      ...valueRange(workload, annotations[ADDRESS] === undefined ? PROXY : ADDRESS),
      message: `No Service can be called "${value}": use at most 63 lower case letters, digits and "-", first a letter.`,
      fixes: better ? [{ title: `Call it ${better}`, annotations: { [ADDRESS]: better } }] : [],
    },
  ];
}

function ports(workload: Workload, source: string): Found[] {
  if (workload.hasTemplatedPort) return [];
  const { kind, annotations, name } = workload;
  const text = annotations[PORT];
  const problem = portProblem(workload, text);
  if (text === undefined) {
    const message = `${kind} ${name} names no ${annotations[PROXY] === 'udp' ? 'UDP' : 'TCP'} port: say which one with ${PORT}.`;
    return problem ? [{ ...valueRange(workload, PROXY), message, fixes: [] }] : [];
  }
  const fixesOf = (values: string[]) =>
    values
      .filter((value) => !portProblem(workload, value))
      .slice(0, MAX_FIXES)
      .map((value) => use(PORT, value));
  if (problem) {
    const own = workload.ports.map(({ port }) => String(port));
    return [{ ...valueRange(workload, PORT), message: problem, fixes: fixesOf([...new Set(own)]) }];
  }
  const parts = text.split(',');
  return parts.flatMap((part, index): Found[] => {
    const [first, second] = part.split(':').map(Number);
    const target = second ?? first!;
    const there = portsThere(workload, second !== undefined);
    if (there.length === 0 || there.includes(target) || portsBeside(workload).includes(target)) return [];
    const has = kind === 'Service' ? `Service ${name} has no port ${target}` : `No container of ${name} listens on ${target}`;
    return [
      {
        ...partRange(workload, source, index),
        message: `${has}: ${there.length === 1 ? 'its port is' : 'its ports are'} ${there.join(', ')}.`,
        fixes: fixesOf(there.map((port) => parts.with(index, second === undefined ? `${port}` : `${first}:${port}`).join(','))),
      },
    ];
  });
}

/** One sentence, where the ports cannot be read; without `text`, where the object names none. */
function portProblem({ kind, annotations: given, ports: own }: Workload, text: string | undefined): string | undefined {
  const annotations = { [PROXY]: given[PROXY] === 'udp' ? 'udp' : 'tcp', ...(text === undefined ? {} : { [PORT]: text }) };
  const exposure = readExposure(kind, { name: 'x', annotations }, own);
  return typeof exposure === 'string' ? exposure : undefined;
}

/** Where clients can be led; empty: nobody can tell. `mapped`: the second half of a pair, which is a port of the pods. */
function portsThere({ kind, ports: own }: Workload, mapped: boolean): number[] {
  if (kind !== 'Service' || !mapped) return unique(own.map(({ port }) => port));
  // A port's name stands for a number that only the pods know.
  const targets = own.map(({ port, targetPort }) => Number(targetPort ?? port));
  return targets.some(Number.isNaN) ? [] : unique(targets);
}

/** What works as well, though nobody would choose it. */
function portsBeside({ ports: own, sidecarPorts }: Workload): number[] {
  return [...own, ...sidecarPorts].flatMap(({ port, targetPort }: OwnPort) => [port, Number(targetPort)]);
}

/** A single wrong number, where the value is written plainly. */
function partRange(workload: Workload, source: string, index: number): { start: number; end: number } {
  const whole = valueRange(workload, PORT);
  const text = workload.annotations[PORT]!;
  const offset = source.slice(whole.start, whole.end).indexOf(text);
  if (offset < 0) return whole;
  const parts = text.split(',');
  const begin = parts.slice(0, index).reduce((length, part) => length + part.length + 1, 0);
  const part = parts[index]!;
  const start = whole.start + offset + begin + (part.length - part.trimStart().length);
  return { start, end: start + part.trim().length };
}

function valueRange({ annotationRanges }: Workload, key: string): { start: number; end: number } {
  const [start, end] = annotationRanges[key]!.value;
  return { start, end };
}

function use(key: string, value: string): Fix {
  return { title: `Use ${value}`, annotations: { [key]: value } };
}

/** The one that was most likely meant; all, where nothing is near. */
function likely(key: string, value: string, values: readonly string[]): Fix[] {
  const near = values.map((known) => ({ known, distance: distanceBetween(value.toLowerCase(), known) }));
  near.sort((a, b) => a.distance - b.distance);
  const [best] = near;
  const chosen = best && best.distance <= best.known.length / 2 ? [best.known] : values;
  return chosen.map((known) => use(key, known));
}

/** Levenshtein's: how many letters must be changed, added or taken away. */
function distanceBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let index = 0; index < a.length && index < 40; index++) {
    const next = [index + 1];
    for (let column = 1; column <= b.length; column++)
      next.push(Math.min(row[column]! + 1, next[column - 1]! + 1, row[column - 1]! + (b[column - 1] === a[index] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}

function oneOf(values: readonly string[]): string {
  return `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}

function unique(numbers: readonly number[]): number[] {
  return [...new Set(numbers)];
}

function isOneOf<T extends string>(values: readonly T[], value: string): value is T {
  return (values as readonly string[]).includes(value);
}
