import type { AccessStatus, Problem } from '../api/types.ts';
import type { Resource } from './resources.ts';

/** A part of the wished state, as it stands now. A source always gives all it has: the site works out what changed. */
export interface WishedState {
  resources: Resource[];
  problems: Problem[];
  /** Where other sites reach this one, where the source knows better than the router: a Service's load balancer. */
  access?: AccessStatus[];
}

/**
 * Where resources come from: a folder, the store that commands write to, a namespace's annotations.
 * `watch` calls back once soon after the start, and again whenever something changed; it never throws for bad content: what
 * cannot be read becomes a problem, and the last good version of that piece stays.
 */
export interface ResourceSource {
  watch(changed: (state: WishedState) => void): Promise<void>;
  close(): Promise<void>;
}
