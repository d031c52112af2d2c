import { COMPONENT, LINKS_INGRESS, LINKS_SERVICE, OWN_LABELS } from '../names.ts';
import type { KubeObject } from '../objects.ts';
import type { IngressWish } from '../types.ts';
import { TUNNELS } from './live-site.ts';

/** Leads from a host name to the router's port for tunnels. Annotations for its controller are its owner's. */
export function linksIngress({ url, className, tlsSecret }: IngressWish): KubeObject {
  const { hostname, pathname } = new URL(url);
  const backend = { service: { name: LINKS_SERVICE, port: { name: TUNNELS } } };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: LINKS_INGRESS, labels: { ...OWN_LABELS, [COMPONENT]: 'links' } },
    spec: {
      ...(className && { ingressClassName: className }),
      ...(tlsSecret && { tls: [{ hosts: [hostname], secretName: tlsSecret }] }),
      rules: [{ host: hostname, http: { paths: [{ path: pathname, pathType: 'Prefix', backend }] } }],
    },
  };
}
