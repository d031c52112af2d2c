/**
 * Objects of one kind, listed and then watched: what there is now is always in `items`. client-node's informer is not used: it stops at
 * its first error, drops watches that are quiet for 30 s, and asks for no bookmarks.
 * Protocol: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { IncomingMessage } from 'node:http';
import type { V1ObjectMeta } from '@kubernetes/client-node';
import { sentence } from '../errors.ts';
import { ApiError, apiError, isStatus } from './api-errors.ts';
import type { ClusterClient } from './client.ts';
import type { ByKind, Kind } from './objects.ts';

/** Between tries after errors: doubles from the first to the last, with up to half of it as jitter. Milliseconds. */
export const FIRST_RETRY_MS = 500;
export const LAST_RETRY_MS = 30_000;
/** The server is asked to end a watch after this and up to twice as long, so that many watchers do not come back at once. Seconds. */
const WATCH_SECONDS = 300;
/** Bookmarks come about once a minute: a watch that says nothing for this long is taken for dead. Milliseconds. */
const SILENCE_MS = 180_000;

export interface WatchOptions {
  kind: Kind;
  /** Undefined: the whole cluster. */
  namespace: string | undefined;
  labelSelector?: string;
}
interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: { metadata?: V1ObjectMeta; code?: number };
}

export class ObjectWatch<K extends Kind> {
  readonly items = new Map<string, ByKind[K]>();
  /** True from the first complete list on. */
  synced = false;
  /** One sentence: why it cannot follow just now; `items` is then what it last knew. */
  problem: string | undefined;
  /** Whether that is a right which is missing: no other try brings it. */
  isRefused = false;
  private readonly client: ClusterClient;
  private readonly options: WatchOptions & { kind: K };
  private readonly changed: () => void;
  private readonly signal: AbortSignal;
  /** Tries that failed since a watch last stood. */
  private failures = 0;

  /** Starts at once, calls `changed` after the first list and after every event, ends with the signal. */
  constructor(client: ClusterClient, options: WatchOptions & { kind: K }, changed: () => void, signal: AbortSignal) {
    this.client = client;
    this.options = options;
    this.changed = changed;
    this.signal = signal;
    void this.run();
  }

  private async run(): Promise<void> {
    let version = '';
    while (!this.signal.aborted) {
      const start = Date.now();
      try {
        if (version === '') version = await this.list();
        version = await this.follow(version);
        // A server that ends every watch at once is not asked again without a pause.
        if (Date.now() - start < FIRST_RETRY_MS) await this.pause(FIRST_RETRY_MS);
      } catch (error) {
        if (this.signal.aborted) return;
        // 410: the server no longer knows this version; a new list, at once, tells what was missed.
        const gone = isStatus(error, 410);
        if (gone) version = '';
        if (gone && this.failures++ === 0) continue;
        // That a watch breaks off is nothing to tell; that it cannot be taken up again is.
        if (error instanceof BrokeOff) version = error.version;
        else this.report(sentence(error), isStatus(error, 403));
        await this.pause(Math.min(FIRST_RETRY_MS * 2 ** this.failures++, LAST_RETRY_MS) * (1 + Math.random() / 2));
      }
    }
  }

  private async pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.signal }).catch(() => undefined);
  }

  private report(problem: string | undefined, isRefused = false): void {
    this.isRefused = isRefused;
    if (this.problem === problem) return;
    this.problem = problem;
    this.changed();
  }

  private async list(): Promise<string> {
    const { kind, namespace, labelSelector } = this.options;
    const { items, resourceVersion } = await this.client.list(kind, namespace, { labelSelector, signal: this.signal });
    this.items.clear();
    for (const item of items) this.items.set(keyOf(item), item);
    this.synced = true;
    this.problem = undefined;
    this.isRefused = false;
    this.changed();
    return resourceVersion;
  }

  /** Follows from a version on; resolves to the last version seen when the server ends the watch. */
  private async follow(from: string): Promise<string> {
    const { kind, namespace, labelSelector } = this.options;
    const timeoutSeconds = Math.round(WATCH_SECONDS * (1 + Math.random()));
    const query = { resourceVersion: from, allowWatchBookmarks: true, timeoutSeconds, labelSelector };
    const silence = new AbortController();
    const answer = await this.client.watch(kind, namespace, query, AbortSignal.any([this.signal, silence.signal]));
    this.failures = 0;
    this.report(undefined);
    const timer = setTimeout(() => silence.abort(), SILENCE_MS);
    let version = from;
    try {
      for await (const line of linesOf(answer)) {
        timer.refresh();
        const event = JSON.parse(line) as WatchEvent;
        if (event.type === 'ERROR') throw apiError(event.object.code ?? 500, JSON.stringify(event.object), this.client.where);
        version = event.object.metadata?.resourceVersion ?? version;
        if (event.type === 'BOOKMARK') continue;
        this.take(event);
      }
      return version;
    } catch (error) {
      if (silence.signal.aborted) return version;
      if (error instanceof ApiError) throw error;
      throw new BrokeOff(error, version);
    } finally {
      clearTimeout(timer);
      answer.destroy();
    }
  }

  private take({ type, object }: WatchEvent): void {
    const key = keyOf(object);
    if (type === 'DELETED') this.items.delete(key);
    else this.items.set(key, object as ByKind[K]);
    this.changed();
  }
}

/** A watch ended in the midst of things, when it had come to `version`. */
class BrokeOff extends Error {
  readonly version: string;
  constructor(cause: unknown, version: string) {
    super(sentence(cause), { cause });
    this.version = version;
  }
}

function keyOf(object: { metadata?: V1ObjectMeta }): string {
  return `${object.metadata?.namespace ?? ''}/${object.metadata?.name ?? ''}`;
}

async function* linesOf(answer: IncomingMessage): AsyncGenerator<string> {
  let rest = '';
  answer.setEncoding('utf8');
  for await (const text of answer as AsyncIterable<string>) {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    yield* lines.filter((line) => line !== '');
  }
}
