/** Whether a site's router runs, and if not, why: from its Deployment and pods, pure. */
import type { V1Deployment, V1Pod } from '@kubernetes/client-node';
import { nameOf } from '../objects.ts';
import { crashes, isReady, podTrouble, runs, waitingReasons, youngestFirst } from '../pods.ts';

export interface Readiness {
  ready: boolean;
  /** One sentence, where it is not ready. */
  message?: string;
  /** It will hardly become ready by itself. */
  stuck: boolean;
  /** Whose last log lines tell more, where its container crashes, or runs and is not ready. */
  telling?: Telling;
}

export interface Telling {
  pod: string;
  /** Of the run before this one. */
  previous: boolean;
}

/** What does not go away by waiting a little. */
const STUCK_REASONS = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'CreateContainerConfigError',
  'CreateContainerError',
]);

export function readinessOf(deployment: V1Deployment, pods: readonly V1Pod[]): Readiness {
  const { status = {}, metadata = {}, spec } = deployment;
  const observed = (status.observedGeneration ?? 0) >= (metadata.generation ?? 0);
  if (observed && (status.updatedReplicas ?? 0) >= 1 && (status.readyReplicas ?? 0) >= 1 && !status.unavailableReplicas)
    return { ready: true, stuck: false };
  if (spec?.replicas === 0) return { ready: false, stuck: true, message: 'The Deployment caravan is scaled to 0.' };
  const refused = status.conditions?.find(({ type, status: on }) => type === 'ReplicaFailure' && on === 'True');
  if (observed && refused) return { ready: false, stuck: true, message: refusal(refused.message ?? refused.reason ?? 'unknown') };
  const [pod] = pods.filter((each) => !isReady(each)).sort(youngestFirst);
  if (!pod) return { ready: false, stuck: false, message: 'The router has no pod yet.' };
  const crashing = crashes(pod);
  return {
    ready: false,
    stuck: crashing || waitingReasons(pod).some((reason) => STUCK_REASONS.has(reason)),
    message: `The router's pod ${nameOf(pod)} ${podTrouble(pod)}.`,
    ...(crashing || runs(pod) ? { telling: { pod: nameOf(pod), previous: crashing } } : {}),
  };
}

/** `pods "caravan-5d…" is forbidden: violates PodSecurity "restricted:latest": …` */
function refusal(message: string): string {
  const why = message.replace(/^pods "[^"]*" is forbidden: /, '').replace(/\.$/, '');
  return `The cluster refuses the router's pod: ${why}.`;
}

/** The line of a crashed program's log that tells most: the last that speaks of an error, else the last of all. */
export function tellingLine(log: string): string | undefined {
  const lines = log
    .split('\n')
    .map((line) => fromJson(line.trim()))
    .filter((line) => line !== '' && !/^at |^Node\.js v|^[{}\]]+,?$/.test(line));
  return (lines.findLast((line) => /error|cannot|fail|caravan:/i.test(line)) ?? lines.at(-1))?.slice(0, 300);
}

/** A router's own line is an object for collectors; people are told its sentence. */
function fromJson(line: string): string {
  try {
    const { message, error } = JSON.parse(line) as { message?: unknown; error?: unknown };
    return [message, error].filter((part) => typeof part === 'string').join(': ') || line;
  } catch {
    return line;
  }
}
