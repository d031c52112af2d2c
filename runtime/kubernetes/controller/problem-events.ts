import { randomBytes } from 'node:crypto';
import type { V1ObjectMeta } from '@kubernetes/client-node';
import type { Problem } from '../../api/types.ts';
import { sentence } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { isStatus } from '../api-errors.ts';
import type { ClusterClient } from '../client.ts';
import { CARAVAN } from '../names.ts';
import type { WorkloadKind } from '../types.ts';

/** A problem that lasts is told again after this: the API server forgets Events in an hour. Milliseconds. */
const AGAIN_MS = 3_600_000;
/** So many Events in that time, whatever happens. */
export const MOST_EVENTS = 100;
/** Of a message. Kubernetes takes 1024 bytes. */
const MOST_CHARACTERS = 300;

export interface Troubled {
  kind: WorkloadKind;
  object: { metadata?: V1ObjectMeta };
}

/** Tells of problems as Events of the objects that have them, where `kubectl describe` shows them. Without the right to it says nothing. */
export class ProblemEvents {
  private readonly client: ClusterClient;
  private readonly namespace: string;
  private readonly log: Log;
  /** When each was told, milliseconds. */
  private readonly told = new Map<string, number>();
  private readonly ended = new AbortController();

  constructor(client: ClusterClient, namespace: string, log: Log) {
    this.client = client;
    this.namespace = namespace;
    this.log = log;
  }

  /** `find` gives the object that a problem's `where` names. */
  tell(problems: readonly Problem[], find: (where: string) => Troubled | undefined): void {
    const now = Date.now();
    for (const [key, at] of this.told) if (now - at >= AGAIN_MS) this.told.delete(key);
    for (const { where, message } of problems) {
      const key = `${where} ${message}`;
      const troubled = find(where);
      if (!troubled || this.told.has(key) || this.told.size >= MOST_EVENTS || this.ended.signal.aborted) continue;
      this.told.set(key, now);
      void this.write(troubled, message);
    }
  }

  close(): void {
    this.ended.abort();
  }

  private async write({ kind, object: { metadata = {} } }: Troubled, message: string): Promise<void> {
    const { name = '', uid, resourceVersion } = metadata;
    const { namespace } = this;
    const apiVersion = kind === 'Service' ? 'v1' : 'apps/v1';
    const now = new Date();
    try {
      await this.client.create(
        namespace,
        {
          apiVersion: 'v1',
          kind: 'Event',
          metadata: { name: `${name}.${randomBytes(8).toString('hex')}`, namespace },
          involvedObject: { apiVersion, kind, namespace, name, uid, resourceVersion },
          type: 'Warning',
          reason: 'CaravanProblem',
          message: message.slice(0, MOST_CHARACTERS),
          source: { component: CARAVAN },
          firstTimestamp: now,
          lastTimestamp: now,
          count: 1,
        },
        { signal: this.ended.signal },
      );
    } catch (error) {
      if (this.ended.signal.aborted) return;
      this.log.debug('an Event cannot be written', { reason: sentence(error) });
      if (isStatus(error, 403)) this.close();
    }
  }
}
