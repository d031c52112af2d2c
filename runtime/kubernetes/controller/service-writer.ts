import type { Problem } from '../../api/types.ts';
import { sentence } from '../../errors.ts';
import { isStatus } from '../api-errors.ts';
import type { ClusterClient } from '../client.ts';
import type { Writes } from './writes.ts';

/** After a write that failed. Milliseconds. */
export const RETRY_MS = 5_000;

/**
 * Writes Services, one plan at a time and always the latest. It never writes over what it has not seen: a new Service is created, not applied,
 * and a change or the end of an existing one carries its version; a conflict is no error, since the watch brings the next plan.
 */
export class ServiceWriter {
  /** What the cluster does not let be written. */
  problems: Problem[] = [];
  private readonly client: ClusterClient;
  private readonly namespace: string;
  private readonly again: () => void;
  private next: Writes | undefined;
  private running: Promise<void> | undefined;
  private retry: NodeJS.Timeout | undefined;
  private readonly ended = new AbortController();

  /** `again` asks for a new plan. */
  constructor(client: ClusterClient, namespace: string, again: () => void) {
    this.client = client;
    this.namespace = namespace;
    this.again = again;
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
    const { signal } = this.ended;
    while (this.next && !signal.aborted) {
      const { create, patches, remove } = this.next;
      this.next = undefined;
      const problems: Problem[] = [];
      const attempt = async (name: string, call: () => Promise<unknown>) => {
        try {
          await call();
        } catch (error) {
          if (signal.aborted || isStatus(error, 409)) return;
          problems.push({ where: `Service ${name}`, message: sentence(error) });
        }
      };
      for (const { name, change } of patches)
        await attempt(name, () => this.client.patch('Service', this.namespace, name, change, { signal }));
      for (const object of create)
        await attempt(object.metadata.name, () => this.client.create(this.namespace, object, { signal }));
      for (const { name, seen } of remove)
        await attempt(name, () => this.client.delete('Service', this.namespace, name, { preconditions: seen, signal }));
      this.report(problems);
    }
  }

  private report(problems: Problem[]): void {
    const changed = JSON.stringify(problems) !== JSON.stringify(this.problems);
    this.problems = problems;
    clearTimeout(this.retry);
    if (problems.length > 0) this.retry = setTimeout(this.again, RETRY_MS);
    if (changed && !this.ended.signal.aborted) this.again();
  }
}
