/**
 * The resources that describe a site's wished state: Skupper v2's kinds (`apiVersion: skupper.io/v2alpha1`), field for field
 * where they overlap. Choices of ours live in the free `settings` map. See docs/resources.md.
 */
import * as v from 'valibot';
import { LineCounter, type Document, isMap, isNode, isScalar, parseAllDocuments } from 'yaml';
import {
  address,
  addressOrAny,
  cost,
  duration,
  host,
  name,
  pem,
  port,
  portOrNone,
  protocol,
  text,
  wholeNumber,
} from '../api/fields.ts';
import { DURATION_PATTERN } from '../api/vocabulary.ts';
import type { WishedState } from './source.ts';

export const API_VERSION = 'skupper.io/v2alpha1';
/** A file of resources larger than this is refused: nothing else is done while one is read, and links do not wait long. Bytes. */
export const MAX_RESOURCE_FILE_BYTES = 1024 * 1024;

const someText = text(1024);
/** Skupper's Link endpoints have their port as text. */
const portTextMessage = 'must be a whole number from 1 to 65535';
const portText = v.pipe(
  v.union([v.number(), v.string()], portTextMessage),
  v.check((value) => v.is(port, Number(value)), portTextMessage),
  v.transform(Number),
);
const settingsMessage = 'must be a map of names to texts';
const settings = v.optional(
  v.pipe(
    v.custom<Record<string, unknown>>((value) => !Array.isArray(value), settingsMessage),
    v.record(
      v.string(),
      v.pipe(v.union([v.string(), v.number(), v.boolean()], 'must be text'), v.transform(String)),
      settingsMessage,
    ),
  ),
  {},
);
const aMap = 'must be a map';
const type = v.optional(protocol, 'tcp');

const specs = {
  /**
   * The site itself. `settings.autoListen`: `loopback` makes a listener on 127.0.0.1 for every service of the network; `settings.proxyPort`: a
   * proxy there that knows the network's names.
   */
  Site: v.object({ edge: v.optional(v.boolean('must be true or false'), false), settings }, aMap),
  /** Where links and claims come in; one port serves both. */
  RouterAccess: v.object(
    {
      roles: v.pipe(
        v.array(
          v.object(
            {
              name: v.picklist(['inter-router', 'edge', 'normal'], 'must be one of inter-router, edge, normal'),
              port: portOrNone,
            },
            aMap,
          ),
          'must be a list',
        ),
        v.minLength(1, 'needs one entry, such as {name: inter-router, port: 8443}'),
      ),
      bindHost: v.optional(host),
      settings,
    },
    aMap,
  ),
  Link: v.object(
    {
      endpoints: v.optional(
        v.array(v.object({ name: v.optional(someText, 'inter-router'), host, port: portText }, aMap), 'must be a list'),
        [],
      ),
      tlsCredentials: name,
      cost: v.optional(cost, 1),
      settings,
    },
    aMap,
  ),
  Listener: v.object(
    {
      routingKey: addressOrAny,
      port: portOrNone,
      host: v.optional(host, '127.0.0.1'),
      type,
      tlsCredentials: v.optional(name),
      settings,
    },
    aMap,
  ),
  /** A listener for several addresses: the first that is offered, or shares by weight. */
  MultiKeyListener: v.object(
    {
      strategy: v.pipe(
        v.object(
          {
            priority: v.optional(
              v.object(
                {
                  routingKeys: v.pipe(
                    v.array(address, 'must be a list'),
                    v.minLength(1, 'must not be empty'),
                    v.maxLength(256, 'has more than 256 entries'),
                  ),
                },
                aMap,
              ),
            ),
            weighted: v.optional(
              v.object(
                {
                  routingKeys: v.pipe(
                    v.record(address, wholeNumber(1, 1_000_000), 'must be a map of addresses and weights'),
                    v.check((keys) => Object.keys(keys).length > 0, 'must not be empty'),
                  ),
                },
                aMap,
              ),
            ),
          },
          aMap,
        ),
        v.check(
          ({ priority, weighted }) => (priority === undefined) !== (weighted === undefined),
          'needs either priority or weighted',
        ),
      ),
      port: portOrNone,
      host: v.optional(host, '127.0.0.1'),
      type,
      tlsCredentials: v.optional(name),
      settings,
    },
    aMap,
  ),
  Connector: v.object(
    {
      routingKey: address,
      port,
      host: v.optional(host),
      selector: v.optional(someText),
      includeNotReadyPods: v.optional(v.boolean('must be true or false'), false),
      type,
      tlsCredentials: v.optional(name),
      useClientCert: v.optional(v.boolean('must be true or false')),
      /** Default true. */
      verifyHostname: v.optional(v.boolean('must be true or false')),
      settings,
    },
    aMap,
  ),
  AccessGrant: v.object(
    {
      redemptionsAllowed: v.optional(wholeNumber(1, 10_000), 1),
      expirationWindow: v.optional(duration, '15m'),
      code: v.optional(someText),
      settings,
    },
    aMap,
  ),
  AccessToken: v.object(
    {
      url: v.pipe(someText, v.url('must be a URL such as https://203.0.113.7:8443/claims/NAME')),
      code: someText,
      ca: pem,
      linkCost: v.optional(cost, 1),
      settings,
    },
    aMap,
  ),
  /**
   * Keys and certificates of a Link, Listener or Connector, as Kubernetes writes them: `data` is base64, `stringData` plain. Each use needs
   * others of them, and says what it misses.
   */
  Secret: v.object({ 'ca.crt': v.optional(pem), 'tls.crt': v.optional(pem), 'tls.key': v.optional(pem) }, aMap),
} as const;

export type ResourceKind = keyof typeof specs;
export type Spec<K extends ResourceKind> = v.InferOutput<(typeof specs)[K]>;

/** One server behind a connector. */
export interface Target {
  host: string;
  /** Where it listens. */
  port: number;
  /** For people: a pod's name, or `host:port`. */
  name: string;
}

interface ResourceOf<K extends ResourceKind> {
  kind: K;
  name: string;
  spec: Spec<K>;
  /** Where it stands, for people: `orders.yaml:7`, `ConfigMap caravan-links`, `Deployment backend`. */
  where: string;
}
export interface ConnectorResource extends ResourceOf<'Connector'> {
  /** Servers found by a selector or an annotation, kept current by their source. Without it: `spec.host`:`spec.port`. */
  targets?: Target[];
  /** Why `targets` is empty: `no pod of Deployment backend is ready`. */
  pending?: string;
}
export type Resource =
  | { [K in Exclude<ResourceKind, 'Connector'>]: ResourceOf<K> }[Exclude<ResourceKind, 'Connector'>]
  | ConnectorResource;

/** Reads every resource of a YAML text. Never throws: what cannot be used becomes a problem that names its line. */
export function parseResources(yaml: string, file: string): WishedState {
  const state: WishedState = { resources: [], problems: [] };
  if (Buffer.byteLength(yaml) > MAX_RESOURCE_FILE_BYTES) {
    state.problems.push({ where: file, message: `The file is larger than ${MAX_RESOURCE_FILE_BYTES} bytes; split it.` });
    return state;
  }
  const lines = new LineCounter();
  for (const document of parseAllDocuments(yaml, { lineCounter: lines, prettyErrors: false, logLevel: 'silent' })) {
    const at = (offset: number | undefined) => `${file}:${lines.linePos(offset ?? 0).line}`;
    const error = document.errors[0];
    if (error) {
      state.problems.push({
        where: at(error.pos[0]),
        message: `This is not valid YAML: ${whatIsWrong(error.message)}. Mend it there.`,
      });
      continue;
    }
    // Nothing between two `---`.
    if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) continue;
    const start = document.contents.range?.[0];
    try {
      state.resources.push(toResource(document, at(start)));
    } catch (problem) {
      if (!(problem instanceof ResourceError)) throw problem;
      state.problems.push({ where: at(offsetOf(document, problem.path) ?? start), message: problem.message });
    }
  }
  return state;
}

/** Where a path stands in a document; where it is missing, what would hold it. */
function offsetOf(document: Document, path: string[]): number | undefined {
  for (let depth = path.length; depth > 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return undefined;
}

class ResourceError extends Error {
  readonly path: string[];
  constructor(message: string, path: string[] = []) {
    super(message);
    this.path = path;
  }
}

function toResource(document: Document, where: string): Resource {
  if (!isMap(document.contents)) throw new ResourceError('This is not a resource; start with "apiVersion:" and "kind:".');
  const raw = contentOf(document);
  const kind = raw['kind'];
  if (typeof kind !== 'string' || !isKind(kind)) {
    const known = Object.keys(specs).join(', ');
    throw new ResourceError(`The kind ${shown(kind ?? null)} is not known here; use one of ${known}.`, ['kind']);
  }
  const wanted = kind === 'Secret' ? 'v1' : API_VERSION;
  if (raw['apiVersion'] !== wanted)
    throw new ResourceError(`A ${kind} has "apiVersion: ${wanted}", not ${shown(raw['apiVersion'] ?? null)}.`, ['apiVersion']);
  const metadata = raw['metadata'] as { name?: unknown } | undefined;
  const named = v.safeParse(name, metadata?.name);
  if (!named.success) throw new ResourceError(`${kind}: metadata.name ${named.issues[0].message}.`, ['metadata', 'name']);
  const parsed = v.safeParse(specs[kind], kind === 'Secret' ? secretData(raw) : (raw['spec'] ?? {}), {
    abortEarly: true,
  });
  if (!parsed.success) {
    const issue = parsed.issues[0];
    const path = [kind === 'Secret' ? 'data' : 'spec', ...(issue.path ?? []).map(({ key }) => String(key))];
    const missing = issue.received === 'undefined';
    const isSecret = kind === 'Secret' || path.at(-1) === 'code';
    const complaint = missing ? 'is missing' : isSecret ? issue.message : `is ${shown(issue.input)}; it ${issue.message}`;
    throw new ResourceError(`${kind} ${named.output}: ${path.join('.')} ${complaint}.`, path);
  }
  return { kind, name: named.output, spec: parsed.output, where } as Resource;
}

/** Throws a `ResourceError` for aliases that lead nowhere, or to far more than was written. */
function contentOf(document: Document): Record<string, unknown> {
  try {
    return document.toJS({ maxAliasCount: 100 }) as Record<string, unknown>;
  } catch (error) {
    throw new ResourceError(`This cannot be used: ${whatIsWrong((error as Error).message)}. Write it without aliases.`);
  }
}

function secretData(raw: Record<string, unknown>): Record<string, unknown> {
  const data = Object.entries((raw['data'] ?? {}) as Record<string, unknown>);
  const decoded = data.map(([key, value]) => [key, Buffer.from(String(value), 'base64').toString()]);
  return { ...Object.fromEntries(decoded), ...(raw['stringData'] as Record<string, unknown> | undefined) };
}

function isKind(kind: string): kind is ResourceKind {
  return Object.hasOwn(specs, kind);
}

/** A value as a person typed it, cut short: an error names it. What is secret is never given to this. */
function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  if (json.includes('PRIVATE KEY')) return 'not what belongs there';
  return json.length > 60 ? `${json.slice(0, 57)}...` : json;
}

/** What the YAML parser says, as part of a sentence, without the piece of the text that it may quote: that could be a key. */
function whatIsWrong(message: string): string {
  return message
    .split('\n')[0]!
    .replace(/(?<=\S): .*$/, '')
    .replace(/[.:]$/, '');
}

const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a Go duration such as `1h30m`; undefined where the text is none. */
export function durationMs(written: string): number | undefined {
  if (!DURATION_PATTERN.test(written)) return undefined;
  return [...written.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * UNIT_MS[unit!]!,
    0,
  );
}
