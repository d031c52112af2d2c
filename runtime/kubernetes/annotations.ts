/**
 * What annotations on Services and workloads mean. Plain: no client, so that the extension may load it at activation.
 * The names and their meaning are Skupper v1's (github.com/skupperproject/skupper, tag 1.9.6, api/types/types.go); `distribution`,
 * `aggregate` and those of `setting-annotations.ts` are ours. Every protocol is read as what it says; which of them the router carries, and how, is the router's to decide.
 */
import { ADDRESS_PATTERN, AGGREGATES, DISTRIBUTIONS, type Protocol, PROTOCOLS, whyNotAggregated } from '../api/vocabulary.ts';
import { HEADER, PATH_PREFIX, PROXY_PROTOCOL, readSettings, settingAnnotationsFor, WEIGHT } from './setting-annotations.ts';
import { readTls, TLS_ANNOTATIONS, tlsAnnotationsFor } from './tls-annotations.ts';
import type { ExposedPort, Exposure, WorkloadKind } from './types.ts';

export const PROXY = 'skupper.io/proxy';
export const ADDRESS = 'skupper.io/address';
export const PORT = 'skupper.io/port';
export const DISTRIBUTION = 'skupper.io/distribution';
export const AGGREGATE = 'skupper.io/aggregate';
/** All of them: what *Stop exposing* removes. */
export const EXPOSURE_ANNOTATIONS = [
  PROXY,
  ADDRESS,
  PORT,
  DISTRIBUTION,
  AGGREGATE,
  HEADER,
  PATH_PREFIX,
  WEIGHT,
  PROXY_PROTOCOL,
  ...TLS_ANNOTATIONS,
] as const;

/** An RFC 1035 label. A Service of the address' name is made in every namespace, and none can be called otherwise. */
export function isServiceName(address: string): boolean {
  return /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/.test(address);
}

/** One port of a Service, or of a workload's containers: what `ownPorts` finds. */
export interface OwnPort {
  /** A Service's port; a container's port. */
  port: number;
  name?: string;
  /** Services only: a number, or the name of a port of the pods. */
  targetPort?: number | string;
  /** `TCP` (default), `UDP` or `SCTP`. */
  protocol?: string;
  appProtocol?: string;
}

interface Named {
  name?: string;
  annotations?: Record<string, string> | null;
}

/**
 * What an object's annotations ask for: undefined where it is not exposed, one sentence where they make no sense. `ports` are the
 * object's own (`ownPorts`): they are the default, and tell where a Service's port leads.
 */
export function readExposure(kind: WorkloadKind, metadata: Named, ports: readonly OwnPort[] = []): Exposure | string | undefined {
  const given = metadata.annotations ?? {};
  const type = given[PROXY];
  if (type === undefined) return undefined;
  if (!isOneOf(PROTOCOLS, type)) return `${PROXY} is "${type}"; it must be one of ${PROTOCOLS.join(', ')}.`;
  const distribution = given[DISTRIBUTION] ?? 'balanced';
  if (!isOneOf(DISTRIBUTIONS, distribution))
    return `${DISTRIBUTION} is "${distribution}"; it must be one of ${DISTRIBUTIONS.join(', ')}.`;
  const aggregate = given[AGGREGATE];
  if (aggregate !== undefined && !isOneOf(AGGREGATES, aggregate))
    return `${AGGREGATE} is "${aggregate}"; it must be one of ${AGGREGATES.join(', ')}.`;
  const apart = aggregate === undefined ? undefined : whyNotAggregated(type, distribution);
  if (apart !== undefined) return `${AGGREGATE}: ${apart}.`;
  const settings = readSettings(given, type);
  if (typeof settings === 'string') return settings;
  const tls = readTls(given, { kind, type });
  if (typeof tls === 'string') return tls;
  const address = given[ADDRESS] ?? metadata.name ?? '';
  if (!ADDRESS_PATTERN.test(address))
    return address === ''
      ? `${ADDRESS} is empty; give the name under which others reach it.`
      : `${ADDRESS} is "${address}"; it may have letters, digits and . / : @ _ - only.`;
  const text = given[PORT];
  const exposed = text === undefined ? defaultPorts(kind, type, ports) : readPorts(kind, text, ports);
  if (typeof exposed === 'string') return exposed;
  return { address, type, distribution, ...(aggregate && { aggregate }), ...settings, ...tls, ports: exposed };
}

/** The annotations that expose an object called `name` so: no more than is needed to say it. */
export function annotationsFor(exposure: Exposure, name?: string): Record<string, string> {
  const annotations: Record<string, string> = { [PROXY]: exposure.type };
  if (exposure.address !== name) annotations[ADDRESS] = exposure.address;
  if (exposure.ports.length > 0)
    annotations[PORT] = exposure.ports
      .map(({ port, targetPort }) => (port === targetPort ? `${port}` : `${port}:${targetPort}`))
      .join(',');
  if (exposure.distribution !== 'balanced') annotations[DISTRIBUTION] = exposure.distribution;
  if (exposure.aggregate) annotations[AGGREGATE] = exposure.aggregate;
  return { ...annotations, ...settingAnnotationsFor(exposure), ...tlsAnnotationsFor(exposure) };
}

function defaultPorts(kind: WorkloadKind, type: Protocol, ports: readonly OwnPort[]): ExposedPort[] | string {
  const transport = type === 'udp' ? 'UDP' : 'TCP';
  const fitting = ports.filter(({ protocol }) => (protocol ?? 'TCP') === transport);
  const unique = [...new Map(fitting.map((own) => [own.port, own])).values()];
  if (unique.length > 0)
    return unique.map((own) => (kind === 'Service' ? throughService(own) : { port: own.port, targetPort: own.port }));
  const which = kind === 'Service' ? 'It' : 'No container of it';
  return `${which} names ${kind === 'Service' ? 'no' : 'a'} ${transport} port; say which with ${PORT}, such as "8080".`;
}

function readPorts(kind: WorkloadKind, text: string, own: readonly OwnPort[]): ExposedPort[] | string {
  const ports: ExposedPort[] = [];
  for (const part of text.split(',')) {
    const [, first, second] = /^\s*(\d{1,5})(?:\s*:\s*(\d{1,5}))?\s*$/.exec(part) ?? [];
    const port = Number(first);
    const targetPort = Number(second ?? first);
    if (!isPort(port) || !isPort(targetPort))
      return `${PORT} is "${text}"; write a port such as "8080", or pairs of service and pod port such as "80:8080,443:8443".`;
    if (ports.some((known) => known.port === port)) return `${PORT} is "${text}"; it names port ${port} twice.`;
    ports.push(kind === 'Service' ? { ...leadsTo(targetPort, second !== undefined, own), port } : { port, targetPort });
  }
  return ports;
}

/**
 * Where a number in a Service's annotation leads. It usually is one of the Service's own ports, and then what that port targets;
 * as the second half of a pair it is first of all a port of the pods, as on a workload.
 */
function leadsTo(number: number, mapped: boolean, own: readonly OwnPort[]): Omit<ExposedPort, 'port'> {
  const through = own.find(({ port }) => port === number);
  const isTarget = mapped && own.some(({ targetPort }) => targetPort === number);
  return through && !isTarget ? throughService(through) : { targetPort: number };
}

function throughService({ port, targetPort }: OwnPort): ExposedPort {
  if (typeof targetPort === 'number') return { port, targetPort };
  if (targetPort === undefined || targetPort === '') return { port, targetPort: port };
  return /^\d+$/.test(targetPort) ? { port, targetPort: Number(targetPort) } : { port, targetPort: port, targetName: targetPort };
}

/** The ports that an object itself names: takes any manifest, however unfinished, and skips what it cannot read. */
export function ownPorts(kind: WorkloadKind, object: unknown): OwnPort[] {
  const spec = field(object, 'spec');
  if (kind === 'Service') return list(field(spec, 'ports')).flatMap((entry) => ownPort(entry, 'port'));
  const containers = list(field(field(field(spec, 'template'), 'spec'), 'containers'));
  return containers.flatMap((container) => list(field(container, 'ports')).flatMap((entry) => ownPort(entry, 'containerPort')));
}

function ownPort(entry: unknown, key: 'port' | 'containerPort'): OwnPort[] {
  const port = field(entry, key);
  if (typeof port !== 'number' || !isPort(port)) return [];
  const own: OwnPort = { port };
  for (const name of ['name', 'protocol', 'appProtocol'] as const) {
    const text = field(entry, name);
    if (typeof text === 'string') own[name] = text;
  }
  const target = field(entry, 'targetPort');
  if (typeof target === 'number' || typeof target === 'string') own.targetPort = target;
  return [own];
}

/** Names before which a `-` or the end must come, as Istio and Skupper's users write them: `http-web`, `grpc`. */
const BY_NAME: [RegExp, Protocol][] = [
  [/^(grpc|h2c?|http2|grpc-web)(-|$)/, 'http2'],
  [/^(http|web|ws|websocket)(-|$)/, 'http'],
  [/^amqp(-|$)/, 'amqp'],
  [/^udp(-|$)/, 'udp'],
];
const BY_NUMBER: Record<number, Protocol> = { 50051: 'http2', 5672: 'amqp' };
const HTTP_NUMBERS = new Set([80, 3000, 4200, 5000, 5173, 8000, 8008, 8080, 8081, 8082, 8088, 8090, 8888, 9200]);

/**
 * What a port most likely speaks: by its transport, its `appProtocol`, its name, its number, in this order; `tcp`, which always
 * works, where nothing tells. TLS (`https`) is tcp: only its ends can read it.
 */
export function guessProtocol({ port, name = '', protocol, appProtocol = '' }: OwnPort): Protocol {
  if (protocol === 'UDP') return 'udp';
  const app = appProtocol.toLowerCase().replace(/^kubernetes\.io\//, '');
  for (const hint of [app, name.toLowerCase()]) {
    if (/^(https|tls|wss|tcp)(-|$)/.test(hint)) return 'tcp';
    const known = BY_NAME.find(([pattern]) => pattern.test(hint));
    if (known) return known[1];
  }
  return BY_NUMBER[port] ?? (HTTP_NUMBERS.has(port) ? 'http' : 'tcp');
}

function isOneOf<T extends string>(values: readonly T[], value: string): value is T {
  return (values as readonly string[]).includes(value);
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
