import type { Problem } from '../../api/types.ts';
import { sentence } from '../../errors.ts';
import { isAlreadyThere, isStatus, quotaOf } from '../api-errors.ts';
import { counted } from '../../words.ts';
import type { ClusterClient } from '../client.ts';
import type { Writes } from './writes.ts';

/** Between tries of one write that fails: doubles from the first to the last. Milliseconds. */
export const FIRST_RETRY_MS = 5_000;
export const LAST_RETRY_MS = 300_000;

interface Failure {
  /** What was to be written: something else is tried at once. The quota's own name, where it refuses all that is new. */
  what: string;
  times: number;
  /** Not tried again before, milliseconds. */
  until: number;
  message: string;
}

/**
 * Writes Services, one plan at a time and always the latest. It never writes over what it has not seen: a new Service is created, not applied,
 * and a change or the end of an existing one carries its version; that something else is there is no error, since the watch brings the next plan.
 */
export class ServiceWriter {
  private readonly client: ClusterClient;
  private readonly namespace: string;
  private readonly again: () => void;
  /** What the cluster does not let be written, by `where` of its problem. */
  private readonly failures = new Map<string, Failure>();
  private told = '';
  private next: Writes | undefined;
  private running: Promise<void> | undefined;
  private retry: NodeJS.Timeout | undefined;
  private readonly ended = new AbortController();
  /** Where the quota's problem is. */
  private readonly quota: string;

  /** `again` asks for a new plan. */
  constructor(client: ClusterClient, namespace: string, again: () => void) {
    this.client = client;
    this.namespace = namespace;
    this.again = again;
    this.quota = `Namespace ${namespace}`;
  }

  get problems(): Problem[] {
    return [...this.failures].map(([where, { message }]) => ({ where, message }));
  }

  write(plan: Writes): void {
    this.next = plan;
    this.running ??= this.run().finally(() => (this.running = undefined));
  }

  async close(): Promise<void> {
    this.ended.abort();
    clearTimeout(this.retry);
    await this.running;
  }

  private async run(): Promise<void> {
    while (this.next && !this.ended.signal.aborted) {
      const plan = this.next;
      this.next = undefined;
      await this.round(plan);
      this.report();
    }
  }

  private async round({ create, patches, remove }: Writes): Promise<void> {
    const { client, namespace } = this;
    const { signal } = this.ended;
    const planned = new Set([...patches, ...remove, ...create.map(({ metadata }) => metadata)].map(whereOf));
    for (const where of this.failures.keys()) if (where !== this.quota && !planned.has(where)) this.failures.delete(where);
    for (const { name, change } of patches)
      await this.attempt(whereOf({ name }), change, () => client.patch('Service', namespace, name, change, { signal }));
    for (const { name, seen } of remove)
      await this.attempt(whereOf({ name }), seen, async () => {
        await client.delete('Service', namespace, name, { preconditions: seen, signal });
        // There is room for another one, now or when the cluster has counted again.
        this.failures.delete(this.quota);
      });
    await this.createAll(create);
  }

  /** Where the namespace's quota refuses one it would refuse all others: they wait together. */
  private async createAll(create: Writes['create']): Promise<void> {
    const over = this.failures.get(this.quota);
    if (create.length > 0 && over && Date.now() < over.until) {
      over.message = overQuota(over.what, create);
      return;
    }
    for (const [index, object] of create.entries()) {
      const where = whereOf(object.metadata);
      const call = () => this.client.create(this.namespace, object, { signal: this.ended.signal });
      const quota = quotaOf(await this.attempt(where, object, call, isAlreadyThere));
      if (quota === undefined) continue;
      this.failures.delete(where);
      this.failed(this.quota, quota, overQuota(quota, create.slice(index)));
      return;
    }
    this.failures.delete(this.quota);
  }

  /** Resolves to the error where it fails; `isOther` tells that something else is there. */
  private async attempt(
    where: string,
    write: object,
    call: () => Promise<unknown>,
    isOther: (error: unknown) => boolean = (error) => isStatus(error, 409),
  ): Promise<unknown> {
    const what = JSON.stringify(write);
    if (this.ended.signal.aborted || this.waits(where, what)) return undefined;
    try {
      await call();
    } catch (error) {
      if (this.ended.signal.aborted) return undefined;
      if (!isOther(error)) {
        this.failed(where, what, sentence(error));
        return error;
      }
    }
    this.failures.delete(where);
    return undefined;
  }

  private waits(where: string, what: string): boolean {
    const failure = this.failures.get(where);
    return failure?.what === what && Date.now() < failure.until;
  }

  private failed(where: string, what: string, message: string): void {
    const before = this.failures.get(where);
    const times = before?.what === what ? before.times + 1 : 1;
    const until = Date.now() + Math.min(FIRST_RETRY_MS * 2 ** (times - 1), LAST_RETRY_MS);
    this.failures.set(where, { what, times, until, message });
  }

  private report(): void {
    clearTimeout(this.retry);
    if (this.ended.signal.aborted) return;
    const next = Math.min(...[...this.failures.values()].map(({ until }) => until));
    if (next !== Infinity) this.retry = setTimeout(this.again, Math.max(next - Date.now(), 0));
    const told = JSON.stringify(this.problems);
    if (told === this.told) return;
    this.told = told;
    this.again();
  }
}

function whereOf({ name }: { name: string }): string {
  return `Service ${name}`;
}

function overQuota(quota: string, refused: Writes['create']): string {
  const others = refused.length - 1;
  const names = `${refused[0]!.metadata.name}${others > 0 ? ` and ${counted(others, 'other')}` : ''}`;
  return `The quota ${quota} allows no more Services, so pods of this namespace do not reach ${names} by name; raise it.`;
}
