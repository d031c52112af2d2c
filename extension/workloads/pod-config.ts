import { CaravanError } from '../../runtime/errors.ts';
import type { PodMaker } from '../../runtime/kubernetes/types.ts';

/** Whose environment a launch configuration or a task has: what both say of it. */
export interface PodConfig {
  /** `Deployment/backend` */
  workload?: string;
  context?: string;
  namespace?: string;
  container?: string;
  /** `ask` (default) before Secrets are read, or `never` read them. */
  secrets?: string;
}

const KINDS: readonly PodMaker['kind'][] = ['Deployment', 'StatefulSet', 'DaemonSet'];

/** The workload that a text means: `Deployment/backend`, whatever the case of its kind; a name alone is a Deployment's. */
export function readWorkload(text: string): PodMaker {
  const [, given = 'Deployment', name] = /^(?:([a-z]+)\/)?([a-z0-9]([-a-z0-9.]*[a-z0-9])?)$/i.exec(text.trim()) ?? [];
  const kind = KINDS.find((each) => each.toLowerCase() === given.toLowerCase());
  if (kind === undefined || name === undefined)
    throw new CaravanError(
      'bad-request',
      `"workload" is "${text}"; write such as "Deployment/backend", with one of ${KINDS.join(', ')}.`,
    );
  return { kind, name };
}
