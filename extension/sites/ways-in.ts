import type { WayIn } from '../../runtime/kubernetes/types.ts';

/** How links come into a cluster, with what each means for people. */
export const WAYS_IN: { way: WayIn; label: string; detail: string }[] = [
  {
    way: 'LoadBalancer',
    label: 'LoadBalancer',
    detail: 'Other sites reach this one at an address of its own. The cluster must be able to give one.',
  },
  {
    way: 'NodePort',
    label: 'NodePort',
    detail: "Other sites reach this one at a port of the cluster's nodes, where they can reach the nodes.",
  },
  { way: 'none', label: 'No way in', detail: 'This site only dials out; laptops still join through the API server.' },
];

/** What a new site is called: its namespace, or with its context where another site has that name already. */
export function siteName(context: string, namespace: string, taken: readonly string[]): string {
  if (!taken.includes(namespace)) return namespace;
  return `${context}-${namespace}`.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 63); // prettier-ignore
}
