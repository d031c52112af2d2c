/**
 * Calls to one cluster's API server, over node:https with what client-node makes of the kubeconfig (TLS, tokens, proxies). The
 * generated API classes are not used: they are two thirds of client-node's size, have no time limits, and hide what went wrong.
 */
import type { IncomingMessage, RequestOptions } from 'node:http';
import type { Agent } from 'node:https';
import type { V1ObjectMeta } from '@kubernetes/client-node';
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { apiError, connectionError, isStatus } from './api-errors.ts';
import { exchange, readText, StaleSocket } from './http.ts';
import { FIELD_MANAGER } from './names.ts';
import { type ByKind, type Kind, type KubeObject, pathOf } from './objects.ts';
import type { CallOptions } from './types.ts';

export type Query = Record<string, string | number | boolean | undefined>;
type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Whole objects where a server knows no better. */
const METADATA_ONLY = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';

interface Send extends CallOptions {
  query?: Query;
  body?: unknown;
  contentType?: string;
  accept?: string;
}
export interface ListOptions extends CallOptions {
  labelSelector?: string;
}
export interface DeleteOptions extends CallOptions {
  /** Only this very object, in this version (409 otherwise). */
  preconditions?: { uid?: string; resourceVersion?: string };
}
export interface Listed<T> {
  items: T[];
  resourceVersion: string;
}

/** Gives the configuration to use; `renew` after the cluster refused the credentials of the last one. */
export type ConfigSource = (renew: boolean) => Promise<KubeConfig>;

export class ClusterClient {
  /** For people: `context west`. */
  readonly where: string;
  private readonly configs: ConfigSource;
  private config: Promise<KubeConfig> | undefined;

  constructor(configs: ConfigSource, where: string) {
    this.configs = configs;
    this.where = where;
  }

  async list<K extends Kind>(kind: K, namespace: string | undefined, options: ListOptions = {}): Promise<Listed<ByKind[K]>> {
    const { labelSelector, ...call } = options;
    const answer = await this.send('GET', pathOf(kind, namespace), { ...call, query: { labelSelector } });
    const { items, metadata } = answer as { items: ByKind[K][] | null; metadata?: { resourceVersion?: string } };
    return { items: items ?? [], resourceVersion: metadata?.resourceVersion ?? '' };
  }

  /**
   * The names, labels and so on of objects of any kind, without the rest of them: a ConfigMap may have a megabyte.
   * Protocol: https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches
   */
  async listMetadata(path: string, query: Query, options?: CallOptions): Promise<{ items: V1ObjectMeta[]; more: boolean }> {
    const answer = await this.send('GET', path, { ...options, query, accept: METADATA_ONLY });
    const { items, metadata } = answer as { items: { metadata?: V1ObjectMeta }[] | null; metadata?: { continue?: string } };
    return { items: (items ?? []).map((item) => item.metadata ?? {}), more: Boolean(metadata?.continue) };
  }

  /** What stands at a path that is no object's, such as `/apis`. Undefined where nothing does. */
  async get(path: string, options?: CallOptions): Promise<unknown> {
    return unlessMissing(this.send('GET', path, options));
  }

  /** Undefined where there is no such object. */
  async read<K extends Kind>(kind: K, namespace: string, name: string, options?: CallOptions): Promise<ByKind[K] | undefined> {
    return unlessMissing(this.send('GET', pathOf(kind, namespace, name), options)) as Promise<ByKind[K] | undefined>;
  }

  async create(namespace: string, object: KubeObject, options?: CallOptions): Promise<KubeObject> {
    const path = pathOf(object.kind, namespace);
    return (await this.send('POST', path, { ...options, body: object, query: { fieldManager: FIELD_MANAGER } })) as KubeObject;
  }

  /** With `metadata.resourceVersion`, only if nobody changed it since (409 otherwise). */
  async replace(namespace: string, object: KubeObject, options?: CallOptions): Promise<KubeObject> {
    const path = pathOf(object.kind, namespace, object.metadata.name);
    return (await this.send('PUT', path, { ...options, body: object, query: { fieldManager: FIELD_MANAGER } })) as KubeObject;
  }

  /** Server-side apply: makes the object, or brings the fields named here to these values; others' fields stay. */
  async apply(namespace: string, object: KubeObject, options?: CallOptions): Promise<KubeObject> {
    const path = pathOf(object.kind, namespace, object.metadata.name);
    const query = { fieldManager: FIELD_MANAGER, force: true };
    const contentType = 'application/apply-patch+yaml';
    return (await this.send('PATCH', path, { ...options, body: object, query, contentType })) as KubeObject;
  }

  /** JSON merge patch: null removes a field. */
  async patch(kind: Kind, namespace: string, name: string, change: object, options?: CallOptions): Promise<void> {
    const query = { fieldManager: FIELD_MANAGER };
    await this.send('PATCH', pathOf(kind, namespace, name), {
      ...options,
      body: change,
      query,
      contentType: 'application/merge-patch+json',
    });
  }

  /** No error where there is no such object. */
  async delete(kind: Kind, namespace: string, name: string, options: DeleteOptions = {}): Promise<void> {
    const { preconditions, ...call } = options;
    const body = { propagationPolicy: 'Background', preconditions };
    await unlessMissing(this.send('DELETE', pathOf(kind, namespace, name), { ...call, body }));
  }

  /** The last lines of a container's log (default 20), of its previous run where `previous`. */
  async log(namespace: string, pod: string, previous: boolean, options?: CallOptions, tailLines = 20): Promise<string> {
    const query = { tailLines, previous };
    return readText(await this.open('GET', `${pathOf('Pod', namespace, pod)}/log`, { ...options, query }), this.where);
  }

  /** The line-by-line answer of a watch: open until the server or the signal ends it. */
  watch(kind: Kind, namespace: string | undefined, query: Query, signal: AbortSignal): Promise<IncomingMessage> {
    return this.open('GET', pathOf(kind, namespace), { query: { ...query, watch: true }, signal });
  }

  /** What a WebSocket to a path of the API server needs: its URL, and options of `https.request`. */
  async webSocket(path: string): Promise<{ url: string; options: RequestOptions }> {
    const { server, options } = await this.access();
    return { url: server.replace(/^http/, 'ws') + path, options };
  }

  private async send(method: Method, path: string, options: Send = {}): Promise<unknown> {
    const text = await readText(await this.open(method, path, options), this.where);
    return text === '' ? undefined : JSON.parse(text);
  }

  /** The answer, once its head is there and it is 2xx. Its body stays under the same limits. */
  private async open(method: Method, path: string, options: Send): Promise<IncomingMessage> {
    try {
      return await this.attempt(method, path, options);
    } catch (error) {
      // A token may have been renewed, or the kubeconfig changed, since the last call. A socket that was kept may be dead by now.
      if (isStatus(error, 401)) this.config = this.configs(true);
      else if (!(error instanceof StaleSocket)) throw error;
      return this.attempt(method, path, options);
    }
  }

  private async attempt(method: Method, path: string, send: Send): Promise<IncomingMessage> {
    send.signal?.throwIfAborted();
    const { server, options } = await this.access();
    send.signal?.throwIfAborted();
    const url = new URL(server + path);
    for (const [key, value] of Object.entries(send.query ?? {}))
      if (value !== undefined) url.searchParams.set(key, String(value));
    const body = send.body === undefined ? undefined : Buffer.from(JSON.stringify(send.body));
    const headers = {
      ...(options.headers as Record<string, string> | undefined),
      accept: send.accept ?? 'application/json',
      'user-agent': 'caravan',
      ...bodyHeaders(body, send.contentType),
    };
    const answer = await exchange(url, { ...options, method, headers }, body, {
      ...send,
      where: this.where,
      endless: send.query?.['watch'] === true,
    });
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status < 300) return answer;
    throw apiError(status, await readText(answer, this.where), this.where);
  }

  private async access(): Promise<{ server: string; options: RequestOptions }> {
    this.config ??= this.configs(false);
    try {
      const config = await this.config;
      const options: RequestOptions = {};
      await config.applyToHTTPSOptions(options);
      // client-node's agents make a new connection for every call.
      const agent = options.agent as Agent & { keepAlive?: boolean };
      agent.keepAlive = true;
      return { server: config.getCurrentCluster()?.server ?? '', options };
    } catch (error) {
      this.config = undefined;
      throw connectionError(error, this.where, 'the server that the kubeconfig names');
    }
  }
}

function bodyHeaders(body: Buffer | undefined, contentType = 'application/json'): Record<string, string | number> {
  return body ? { 'content-type': contentType, 'content-length': body.length } : {};
}

async function unlessMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isStatus(error, 404)) return undefined;
    throw error;
  }
}
