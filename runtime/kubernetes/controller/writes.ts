import type { ProxyService } from './proxy-service.ts';

/** What is to be written of the namespace's Services: never over what was not seen. */
export interface Writes {
  create: ProxyService[];
  /** Merge patches, with the `metadata.resourceVersion` that was seen. */
  patches: { name: string; change: object }[];
  remove: { name: string; seen: { uid?: string; resourceVersion?: string } }[];
}
