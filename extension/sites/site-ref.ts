import { LAPTOP, type LocalRef } from '../../runtime/api/laptop/local-router.ts';

/** How a site is reached from here: a socket of this computer, or the API server of a kubeconfig's context. */
export type SiteRef = LocalRef | ClusterRef;

export interface ClusterRef {
  where: 'cluster';
  /** As in KUBECONFIG; undefined: the default. */
  kubeconfig?: string | undefined;
  context: string;
  namespace: string;
}

export const DEMO_PREFIX = 'demo-';

export function siteKey(ref: SiteRef): string {
  return ref.where === 'local' ? `local:${ref.name}` : `cluster:${ref.context}/${ref.namespace}`;
}

/** What people call it: `this laptop`, `cloud`, `kind-west/shop`. */
export function siteLabel(ref: SiteRef): string {
  if (ref.where === 'cluster') return `${ref.context}/${ref.namespace}`;
  if (ref.name === LAPTOP) return 'this laptop';
  return isDemo(ref) ? ref.name.slice(DEMO_PREFIX.length) : ref.name;
}

export function isLaptop(ref: SiteRef): boolean {
  return ref.where === 'local' && ref.name === LAPTOP;
}

export function isDemo(ref: SiteRef): boolean {
  return ref.where === 'local' && ref.name.startsWith(DEMO_PREFIX);
}
