/** What a pod's status says, for the controller, the installation and the tree alike: pure. */
import type { V1ContainerStatus, V1LabelSelector, V1Pod } from '@kubernetes/client-node';
import { nameOf } from './objects.ts';

export function isReady(pod: V1Pod): boolean {
  return isAlive(pod) && condition(pod, 'Ready')?.status === 'True';
}

/** Neither ended nor told to end. */
export function isAlive(pod: V1Pod): boolean {
  const { phase } = pod.status ?? {};
  return !pod.metadata?.deletionTimestamp && phase !== 'Succeeded' && phase !== 'Failed';
}

/** Why a pod is not ready, to follow its name: `fails its readiness probe`. */
export function podTrouble(pod: V1Pod): string {
  const { status = {} } = pod;
  if (pod.metadata?.deletionTimestamp) return 'is ending';
  const scheduled = condition(pod, 'PodScheduled');
  // What follows tells which pods could give way, mostly none.
  if (scheduled?.status === 'False')
    return `fits no node${scheduled.message ? `: ${scheduled.message.split(/\.(?: |$)/)[0]}` : ''}`;
  for (const container of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]) {
    const trouble = containerTrouble(container, pod);
    if (trouble) return trouble;
  }
  if (status.phase === 'Failed') return `has failed${status.reason ? `: ${status.reason}` : ''}`;
  return 'is starting';
}

function containerTrouble(container: V1ContainerStatus, pod: V1Pod): string | undefined {
  const { name, state = {}, lastState = {}, ready, restartCount } = container;
  const { reason, message } = state.waiting ?? {};
  if (reason === 'CrashLoopBackOff') {
    const { exitCode, reason: why } = lastState.terminated ?? {};
    const how = why === 'OOMKilled' ? 'out of memory' : `exit code ${exitCode ?? 'unknown'}`;
    return `crashes again and again (${how}, ${restartCount} ${restartCount === 1 ? 'restart' : 'restarts'})`;
  }
  if (reason && IMAGE_REASONS.has(reason)) return `cannot pull its image ${imageOf(pod, name)}${lastCause(message)}`;
  if (reason && !QUIET.has(reason)) return `waits with ${reason}${message ? `: ${firstSentence(message)}` : ''}`;
  if (state.terminated && state.terminated.exitCode !== 0) return `ended with exit code ${state.terminated.exitCode}`;
  const probed = pod.spec?.containers.find((each) => each.name === name)?.readinessProbe;
  return state.running && !ready && probed ? 'fails its readiness probe' : undefined;
}

const IMAGE_REASONS = new Set(['ErrImagePull', 'ImagePullBackOff']);

function imageOf(pod: V1Pod, container: string): string {
  return pod.spec?.containers.find(({ name }) => name === container)?.image ?? '';
}

/** Container engines nest what went wrong, and the innermost tells most: `…: dial tcp: lookup nope.example: no such host`. */
function lastCause(message = ''): string {
  const cause = message
    .split('\n')[0]!
    .split(': ')
    .at(-1)!
    .replaceAll(/["\\.]+$/g, '')
    .trim();
  return cause === '' || cause.startsWith('Back-off') ? '' : `: ${cause.slice(0, 120)}`;
}

/** Waiting for these is how every pod starts. */
const QUIET = new Set(['ContainerCreating', 'PodInitializing']);

/** The reason each container waits with, empty where it does not wait. */
export function waitingReasons(pod: V1Pod): string[] {
  return (pod.status?.containerStatuses ?? []).map(({ state }) => state?.waiting?.reason ?? '');
}

/** Whether a container has ended more than once by itself and does not run just now. */
export function crashes(pod: V1Pod): boolean {
  return (pod.status?.containerStatuses ?? []).some(({ state, restartCount }) => restartCount >= 1 && !state?.running);
}

/** Whether a container runs just now. */
export function runs(pod: V1Pod): boolean {
  return (pod.status?.containerStatuses ?? []).some(({ state }) => state?.running);
}

/** The pods that a workload's selector picks. */
export function matchesSelector(pod: V1Pod, { matchLabels = {}, matchExpressions = [] }: V1LabelSelector): boolean {
  const labels = pod.metadata?.labels ?? {};
  const wanted = Object.entries(matchLabels);
  if (wanted.length + matchExpressions.length === 0) return false;
  return (
    wanted.every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        default:
          return value === undefined;
      }
    })
  );
}

/**
 * The number of a port that a pod names, undefined where it names none so. Sidecars come last, as with a Service: `FindPort`
 * (kubernetes/kubernetes, pkg/api/v1/pod/util.go).
 */
export function namedPort({ spec }: V1Pod, name: string, protocol = 'TCP'): number | undefined {
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  const ports = [...(spec?.containers ?? []), ...sidecars].flatMap((container) => container.ports ?? []);
  return ports.find((port) => port.name === name && (port.protocol ?? 'TCP') === protocol)?.containerPort;
}

/** For `sort`. */
export function youngestFirst(a: V1Pod, b: V1Pod): number {
  const made = ({ metadata }: V1Pod) => Date.parse(String(metadata?.creationTimestamp ?? 0));
  return made(b) - made(a);
}

/** `0 of 2 pods of Deployment backend are ready: backend-x fails its readiness probe`. */
export function noneReady(of: string, pods: readonly V1Pod[], wanted?: number): string {
  if (wanted === 0) return `${of} is scaled to 0`;
  const [first] = pods;
  if (!first) return `${of} has no pods`;
  const count = Math.max(wanted ?? 0, pods.length);
  return `0 of ${count} ${count === 1 ? 'pod' : 'pods'} of ${of} ${count === 1 ? 'is' : 'are'} ready: ${nameOf(first)} ${podTrouble(first)}`;
}

function condition(pod: V1Pod, type: string) {
  return pod.status?.conditions?.find((entry) => entry.type === type);
}

function firstSentence(text: string): string {
  const line = text.split('\n')[0]!.trim();
  return line.length > 200 ? `${line.slice(0, 197)}...` : line.replace(/\.$/, '');
}
