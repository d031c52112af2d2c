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
  {
    way: 'Ingress',
    label: 'Ingress',
    detail:
      'Other sites reach this one under a host name of yours, through whatever ends TLS there: what passes HTTPS leads here.',
  },
  { way: 'none', label: 'No way in', detail: 'This site only dials out; laptops still join through the API server.' },
];

/** `shop.example.com/caravan` → `https://shop.example.com/caravan`. Undefined where a person typed nothing that an Ingress could be reached at. */
export function ingressUrl(typed: string): string | undefined {
  const url = /^https?:\/\//i.test(typed.trim()) ? typed.trim() : `https://${typed.trim()}`;
  if (!URL.canParse(url)) return undefined;
  const { hostname, username, search, hash } = new URL(url);
  // An Ingress goes by names, not by addresses.
  const isName = /^[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*$/.test(hostname);
  return isName && username + search + hash === '' ? url.replace(/\/+$/, '') : undefined;
}

/** What a new site is called: its namespace, or with its context where another site has that name already. */
export function siteName(context: string, namespace: string, taken: readonly string[]): string {
  if (!taken.includes(namespace)) return namespace;
  return `${context}-${namespace}`.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 63); // prettier-ignore
}
