/**
 * The in-cluster side: follows the namespace, tells the site what its objects wish for, and keeps a proxy Service for every service of
 * the network, and those that somebody stands in for pointing at the router. Runs in the router's pod, on the thread that passes bytes on: so
 * what changes much is planned for no more than a part of the time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Unsubscribe } from '../../api/control.ts';
import type { Problem } from '../../api/types.ts';
import { sentence } from '../../errors.ts';
import { type Log, sparing } from '../../log.ts';
import type { NetworkView } from '../../site/network-view.ts';
import { PacedTask } from '../../site/paced-task.ts';
import type { ResourceSource, WishedState } from '../../site/source.ts';
import type { ClusterClient } from '../client.ts';
import { RESOURCE_LABEL } from '../names.ts';
import type { Kind } from '../objects.ts';
import type { WorkloadKind } from '../types.ts';
import { ObjectWatch } from '../watch.ts';
import { anyHost } from './any-host.ts';
import { NamedSecrets } from './named-secrets.ts';
import { giveBackServices } from './give-back.ts';
import { makePlan, newPlanMemory } from './plan.ts';
import { ProblemEvents, type Troubled } from './problem-events.ts';
import { ServiceWriter } from './service-writer.ts';
import { ResourceMaps } from './resource-maps.ts';

/** Where its problem is. */
const DEFECT = 'the namespace';
/** Services that point at the router, at its end. The pod has 15 s for all. Milliseconds. */
const GIVE_BACK_WITHIN_MS = 5_000;
/** After Services were given back, at the router's end. Milliseconds. */
const LINGER_AT_END_MS = 3_000;

export interface NamespaceSourceOptions {
  client: ClusterClient;
  namespace: string;
  /** The node's address: where a NodePort is reached. */
  hostIp?: string;
  view: NetworkView;
  log: Log;
  now?: () => number;
}

export class NamespaceSource implements ResourceSource {
  private readonly options: NamespaceSourceOptions;
  private readonly log: Log;
  private readonly now: () => number;
  private readonly ended = new AbortController();
  private readonly listenHost = anyHost();
  private readonly maps = new ResourceMaps();
  private readonly memory;
  private readonly writer: ServiceWriter;
  private readonly secrets: NamedSecrets;
  private readonly events: ProblemEvents;
  private readonly watches: ReturnType<NamespaceSource['startWatches']>;
  private unsubscribe: Unsubscribe | undefined;
  private tell: ((state: WishedState) => void) | undefined;
  private told: WishedState = { resources: [], problems: [] };
  private toldText = '';
  private readonly task = new PacedTask(() => this.planSafely());
  private later: NodeJS.Timeout | undefined;

  constructor(options: NamespaceSourceOptions) {
    this.options = options;
    this.log = sparing(options.log);
    this.now = options.now ?? Date.now;
    this.memory = newPlanMemory(this.now());
    this.writer = new ServiceWriter(options.client, options.namespace, () => this.touch());
    this.secrets = new NamedSecrets(options.client, options.namespace, () => this.touch());
    this.events = new ProblemEvents(options.client, options.namespace, this.log);
    this.watches = this.startWatches();
  }

  /** Resolves at once; the first call back comes when the namespace has been read, or when it is known why it cannot be. */
  async watch(changed: (state: WishedState) => void): Promise<void> {
    this.tell = changed;
    this.unsubscribe = this.options.view.onServicesChange(() => this.touch());
    this.touch();
  }

  async close(): Promise<void> {
    this.ended.abort();
    this.unsubscribe?.();
    this.task.stop();
    clearTimeout(this.later);
    this.secrets.close();
    this.events.close();
    await this.writer.close();
    if (this.memory.diverted.serving.size === 0) return;
    const { client, namespace, log } = this.options;
    const given = await giveBackServices(client, namespace, { log, signal: AbortSignal.timeout(GIVE_BACK_WITHIN_MS) });
    // The listeners stay open for so long: nodes learn of it one after the other.
    if (given > 0) await sleep(LINGER_AT_END_MS);
  }

  private startWatches() {
    const { client, namespace } = this.options;
    const watch = <K extends Kind>(kind: K, labelSelector?: string) =>
      new ObjectWatch(
        client,
        { kind, namespace, ...(labelSelector && { labelSelector }) },
        () => this.touch(),
        this.ended.signal,
      );
    return {
      services: watch('Service'),
      pods: watch('Pod'),
      deployments: watch('Deployment'),
      statefulSets: watch('StatefulSet'),
      daemonSets: watch('DaemonSet'),
      // With the label only: the runtime itself is a ConfigMap of half a megabyte.
      configMaps: watch('ConfigMap', RESOURCE_LABEL),
    };
  }

  private touch(): void {
    if (!this.ended.signal.aborted && this.tell) this.task.request();
  }

  /** A defect of ours costs this plan: what was told last holds on. */
  private planSafely(): void {
    try {
      this.plan();
    } catch (error) {
      this.log.error('the plan of the namespace met a defect', { error: (error as Error)?.stack ?? String(error) });
      const message = `It cannot be followed because of a defect: ${sentence(error)}. The log tells more.`;
      const before = this.told.problems.filter(({ where }) => where !== DEFECT);
      this.emit({ ...this.told, problems: [...before, { where: DEFECT, message }] });
    }
  }

  private plan(): void {
    const { services, pods, deployments, statefulSets, daemonSets, configMaps } = this.watches;
    const all = Object.values(this.watches);
    const watchProblems = all
      .filter(({ problem }) => problem)
      .map(({ problem }): Problem => ({ where: `Namespace ${this.options.namespace}`, message: problem! }));
    // Half a picture would take away what the other half holds. Without the rights for more it is the site's own resources at least.
    if (all.some(({ synced }) => !synced)) {
      if (all.every(({ synced, isRefused }) => synced || isRefused)) {
        const { resources, problems } = this.maps.read([...configMaps.items.values()]);
        this.emit({ resources, problems: unique([...problems, ...watchProblems]) });
      } else
        for (const { message } of unique(watchProblems)) this.log.warn('the namespace cannot be read yet', { reason: message });
      return;
    }
    const now = this.now();
    const { state, secrets, writes, recheckAt } = makePlan(
      {
        services: [...services.items.values()],
        pods: [...pods.items.values()],
        workloads: [
          ...[...deployments.items.values()].map((object) => ({ kind: 'Deployment', object }) as const),
          ...[...statefulSets.items.values()].map((object) => ({ kind: 'StatefulSet', object }) as const),
          ...[...daemonSets.items.values()].map((object) => ({ kind: 'DaemonSet', object }) as const),
        ],
        configMaps: [...configMaps.items.values()],
        network: this.options.view.services(),
        hostIp: this.options.hostIp,
        listenHost: this.listenHost,
        hasCertificate: (name) => this.secrets.hasCertificate(name),
        now,
      },
      this.memory,
      this.maps,
    );
    // A listener whose Secret is on its way is not complained of, and no Service points at it.
    if (this.secrets.follow(secrets, state.resources)) {
      const problems = unique([...state.problems, ...this.secrets.problems, ...this.writer.problems, ...watchProblems]);
      this.emit({ ...state, resources: [...state.resources, ...this.secrets.resources], problems });
      this.writer.write(writes);
      this.events.tell(problems, (where) => this.find(where));
    }
    clearTimeout(this.later);
    if (recheckAt !== undefined) this.later = setTimeout(() => this.touch(), Math.max(recheckAt - now, 0) + 1);
  }

  /** The object that a problem's `where` names: `Deployment backend`. */
  private find(where: string): Troubled | undefined {
    const { services: Service, deployments: Deployment, statefulSets: StatefulSet, daemonSets: DaemonSet } = this.watches;
    const [kind, name] = where.split(' ') as [WorkloadKind, string];
    const object = { Service, Deployment, StatefulSet, DaemonSet }[kind]?.items.get(`${this.options.namespace}/${name}`);
    return object && { kind, object };
  }

  /** Says nothing where nothing changed: the router's own changes come through here too. */
  private emit(state: WishedState): void {
    const text = JSON.stringify(state);
    if (text === this.toldText) return;
    this.told = state;
    this.toldText = text;
    this.tell?.(state);
  }
}

function unique(problems: Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [`${problem.where} ${problem.message}`, problem])).values()];
}
