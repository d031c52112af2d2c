/**
 * For tests only: an API server in this process, over real HTTP. It keeps whatever it is given, counts versions, and serves lists,
 * watches, optimistic concurrency, merge patch and the little of apply that Caravan uses. It checks nothing else.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { ClusterClient } from './client.ts';
import { merged } from './merge-patch.testkit.ts';
import { type Kind, nameOf, pathOf } from './objects.ts';

interface Stored {
  apiVersion?: string;
  kind?: string;
  metadata?: { name?: string; uid?: string; resourceVersion?: string; labels?: Record<string, string>; [key: string]: unknown };
  [key: string]: unknown;
}
interface Watcher {
  list: string;
  selector: string | null;
  response: ServerResponse;
}
export interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: Stored | undefined;
}
/** Answers a call itself by returning true. */
export type Intercept = (call: Call, response: ServerResponse) => boolean;

export class FakeApi {
  readonly calls: Call[] = [];
  intercept: Intercept = () => false;
  /** What discovery tells, by group and version: kinds and their plurals. */
  readonly kinds: Record<string, Record<string, string>> = {
    v1: {
      ConfigMap: 'configmaps',
      Endpoints: 'endpoints',
      PersistentVolumeClaim: 'persistentvolumeclaims',
      Pod: 'pods',
      Secret: 'secrets',
      Service: 'services',
      ServiceAccount: 'serviceaccounts',
    },
    'apps/v1': { DaemonSet: 'daemonsets', Deployment: 'deployments', StatefulSet: 'statefulsets' },
    'rbac.authorization.k8s.io/v1': { Role: 'roles', RoleBinding: 'rolebindings' },
  };
  private readonly objects = new Map<string, Stored>();
  private readonly watchers = new Set<Watcher>();
  private version = 100;
  private readonly server = createServer((request, response) => void this.serve(request, response));

  static async start(): Promise<FakeApi> {
    const api = new FakeApi();
    await new Promise<void>((resolve) => api.server.listen(0, '127.0.0.1', resolve));
    return api;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  config(token = 'secret'): KubeConfig {
    const config = new KubeConfig();
    config.loadFromClusterAndUser({ name: 'fake', server: this.origin, skipTLSVerify: true }, { name: 'ada', token });
    return config;
  }

  client(): ClusterClient {
    return new ClusterClient(async () => this.config(), 'context fake');
  }

  /** As somebody else would with kubectl. */
  put(kind: Kind, namespace: string, object: Stored): void {
    const key = pathOf(kind, namespace, nameOf(object));
    const known = this.objects.has(key);
    this.store(key, { kind, ...object, metadata: { ...object.metadata, namespace } }, known ? 'MODIFIED' : 'ADDED');
  }

  /** An object of a kind that Caravan knows nothing of: `/apis/batch/v1/namespaces/shop/cronjobs/report`. */
  putAt(path: string, metadata: Stored['metadata'] = {}): void {
    this.store(path, { metadata: { ...metadata, name: path.split('/').at(-1)! } }, 'ADDED');
  }

  get(kind: Kind, namespace: string, name: string): Stored | undefined {
    return this.objects.get(pathOf(kind, namespace, name));
  }

  remove(kind: Kind, namespace: string, name: string): void {
    const key = pathOf(kind, namespace, name);
    const object = this.objects.get(key);
    if (!object || !this.objects.delete(key)) return;
    this.notify(key, 'DELETED', object);
  }

  /** Cuts every watch that runs. */
  cutWatches(): void {
    for (const { response } of this.watchers) response.destroy();
  }

  /** Sends a line of its own to every watch. */
  sendToWatches(event: object): void {
    for (const { response } of this.watchers) response.write(`${JSON.stringify(event)}\n`);
  }

  get watching(): number {
    return this.watchers.size;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake');
    const body = await text(request);
    const { method = 'GET', headers } = request;
    const call: Call = {
      method,
      path: url.pathname,
      query: url.searchParams,
      headers,
      body: body === '' ? undefined : JSON.parse(body),
    };
    this.calls.push(call);
    if (!this.intercept(call, response)) this.answer(call, response);
  }

  private answer(call: Call, response: ServerResponse): void {
    const { method, path, query, body } = call;
    const known = this.objects.get(path);
    if (method === 'GET') {
      const discovered = this.discovery(path);
      if (discovered) reply(response, 200, discovered);
      else if (query.get('watch') === 'true') this.watch(path, query.get('labelSelector'), response);
      else if (known) reply(response, 200, known);
      else if (isList(path))
        reply(response, 200, {
          items: this.list(path, query.get('labelSelector')),
          metadata: { resourceVersion: String(this.version) },
        });
      else reply(response, 404, status(404, `${path} not found`));
    } else if (method === 'POST') {
      const key = `${path}/${body?.metadata?.name}`;
      if (this.objects.has(key)) reply(response, 409, status(409, `${body?.metadata?.name} already exists`, 'AlreadyExists'));
      else reply(response, 201, this.store(key, body!, 'ADDED'));
    } else if (method === 'DELETE') {
      const { uid, resourceVersion } = (body?.['preconditions'] ?? {}) as NonNullable<Stored['metadata']>;
      const isOther = (uid ?? known?.metadata?.uid) !== known?.metadata?.uid;
      const isChanged = (resourceVersion ?? known?.metadata?.resourceVersion) !== known?.metadata?.resourceVersion;
      if (!known) reply(response, 404, status(404, `${path} not found`));
      else if (isOther || isChanged) reply(response, 409, status(409, 'the preconditions do not hold', 'Conflict'));
      else {
        this.objects.delete(path);
        this.notify(path, 'DELETED', known);
        reply(response, 200, {});
      }
    } else this.write(call, known, response);
  }

  private discovery(path: string): object | undefined {
    if (path === '/apis') {
      const versions = Object.keys(this.kinds).filter((version) => version.includes('/'));
      return {
        groups: versions.map((groupVersion) => ({ name: groupVersion.split('/')[0], preferredVersion: { groupVersion } })),
      };
    }
    const kinds = this.kinds[/^\/apis?\/(.+)$/.exec(path)?.[1] ?? ''];
    const verbs = ['get', 'list', 'create'];
    return kinds && { resources: Object.entries(kinds).map(([kind, name]) => ({ name, kind, namespaced: true, verbs })) };
  }

  private write({ method, path, headers, body }: Call, known: Stored | undefined, response: ServerResponse): void {
    const isApply = headers['content-type']?.startsWith('application/apply-patch') === true;
    if (!known && !isApply) return reply(response, 404, status(404, `${path} not found`));
    const wanted = body?.metadata?.resourceVersion;
    if (wanted !== undefined && wanted !== known?.metadata?.resourceVersion)
      return reply(response, 409, status(409, 'the object has been modified', 'Conflict'));
    const next = method === 'PUT' ? body! : ((isApply ? applied : merged)(known ?? {}, body) as Stored);
    return reply(response, 200, this.store(path, next, known ? 'MODIFIED' : 'ADDED'));
  }

  private store(key: string, object: Stored, type: 'ADDED' | 'MODIFIED'): Stored {
    const version = String(++this.version);
    const uid = this.objects.get(key)?.metadata?.uid ?? `uid-${version}`;
    const stored = { ...object, metadata: { ...object.metadata, uid, resourceVersion: version } };
    this.objects.set(key, stored);
    this.notify(key, type, stored);
    return stored;
  }

  private list(path: string, selector: string | null): Stored[] {
    const inside = [...this.objects].filter(([key]) => listsOf(key).includes(path));
    return inside.map(([, object]) => object).filter((object) => fits(object, selector));
  }

  private watch(list: string, selector: string | null, response: ServerResponse): void {
    const watcher = { list, selector, response };
    this.watchers.add(watcher);
    response.on('close', () => this.watchers.delete(watcher));
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
  }

  private notify(key: string, type: string, object: Stored): void {
    for (const { list, selector, response } of this.watchers)
      if (listsOf(key).includes(list) && fits(object, selector)) response.write(`${JSON.stringify({ type, object })}\n`);
  }
}

/** The lists an object is in: its namespace's and the cluster's. */
function listsOf(key: string): string[] {
  const list = key.slice(0, key.lastIndexOf('/'));
  return [list, list.replace(/\/namespaces\/[^/]+(?=\/)/, '')];
}

function isList(path: string): boolean {
  return /\/v\d\w*(\/namespaces\/[^/]+)?\/[a-z]+$/.test(path);
}

function fits(object: Stored, selector: string | null): boolean {
  const labels = object.metadata?.labels ?? {};
  return (selector ?? '').split(',').every((part) => {
    const [key = '', value] = part.split('=');
    return key === '' || (value === undefined ? key in labels : labels[key] === value);
  });
}

/**
 * Server-side apply by a manager that owns none of what is there, as one does that made the object otherwise: fields get these values, and
 * lists of what is called by name or by port and protocol lose nothing.
 */
function applied(to: unknown, change: unknown): unknown {
  if (Array.isArray(change)) return change.every(isNamed) ? appliedList((to ?? []) as Named[], change) : change;
  if (typeof change !== 'object' || change === null) return change;
  const entries = Object.entries(change).map(([key, value]) => [key, applied((to as Stored | undefined)?.[key], value)]);
  return { ...(to as object | undefined), ...Object.fromEntries(entries) };
}

type Named = { name?: string; port?: number; protocol?: string };

function isNamed(item: unknown): item is Named {
  return typeof item === 'object' && item !== null && ('name' in item || 'port' in item);
}

function appliedList(to: Named[], change: Named[]): unknown[] {
  const keyOf = ({ name, port, protocol = 'TCP' }: Named) => (port === undefined ? name : `${protocol}/${port}`);
  const byKey = new Map(to.map((item) => [keyOf(item), item]));
  for (const item of change) byKey.set(keyOf(item), applied(byKey.get(keyOf(item)), item) as Named);
  return [...byKey.values()];
}

export function status(code: number, message: string, reason?: string): object {
  return { kind: 'Status', status: 'Failure', code, message, reason };
}

export function reply(response: ServerResponse, code: number, body: object): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
