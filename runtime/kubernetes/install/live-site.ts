/** A site as it stands, and what applying it again keeps. */
import type { V1ConfigMap, V1Deployment, V1ObjectMeta, V1PodSpec, V1Service } from '@kubernetes/client-node';
import type { ClusterClient } from '../client.ts';
import { CARAVAN, FIELD_MANAGER, LINKS_SERVICE, POD_TEMPLATE_ANNOTATION, SITE_CONFIG, TUNNELS, VERSION_LABEL } from '../names.ts';
import type { CallOptions, WayIn } from '../types.ts';
import { parsePodTemplate } from './pod-template.ts';

export interface LiveSite {
  deployment: V1Deployment;
  config: V1ConfigMap | undefined;
  /** Its Service `caravan-links`. */
  links?: V1Service | undefined;
  wayIn: WayIn;
}

/** What a Deployment has that is not Caravan's to choose. */
export interface Kept {
  image?: string | undefined;
  podTemplate?: object | undefined;
  tolerations?: V1PodSpec['tolerations'];
  resources?: V1PodSpec['containers'][number]['resources'];
}

/** Undefined where the namespace holds no site. */
export async function readLiveSite(
  client: ClusterClient,
  namespace: string,
  options: CallOptions,
): Promise<LiveSite | undefined> {
  const [deployment, config, links] = await Promise.all([
    client.read('Deployment', namespace, CARAVAN, options),
    client.read('ConfigMap', namespace, SITE_CONFIG, options),
    client.read('Service', namespace, LINKS_SERVICE, options),
  ]);
  return deployment && { deployment, config, links, wayIn: wayInOf(links) };
}

export function wayInOf(links: V1Service | undefined): WayIn {
  const { type, ports = [] } = links?.spec ?? {};
  if (type === 'LoadBalancer' || type === 'NodePort') return type;
  return ports.some(({ name }) => name === TUNNELS) ? 'Ingress' : 'none';
}

/** Of what runs: the Deployment's own label stays as it is when its owner undoes a rollout. */
export function versionOf({ spec }: V1Deployment): string {
  return spec?.template.metadata?.labels?.[VERSION_LABEL] ?? 'unknown';
}

const POD = ['f:spec', 'f:template', 'f:spec'];
const ROUTER = [...POD, 'f:containers', 'k:{"name":"router"}'];

/**
 * The image and what was wished of the pod, whoever said it; and of what Caravan sets itself what somebody changed with another tool, such as
 * `kubectl set resources`. What Caravan does not set stays anyhow: it applies its own fields only.
 */
export function keptOf({ metadata = {}, spec }: V1Deployment): Kept {
  const pod = spec?.template.spec;
  const router = pod?.containers.find(({ name }) => name === 'router');
  return {
    image: router?.image,
    podTemplate: parsePodTemplate(
      metadata.annotations?.[POD_TEMPLATE_ANNOTATION],
      `The annotation ${POD_TEMPLATE_ANNOTATION} of the Deployment ${CARAVAN}`,
    ),
    ...(isSetByOthers(metadata, [...POD, 'f:tolerations']) && { tolerations: pod?.tolerations }),
    ...(isSetByOthers(metadata, [...ROUTER, 'f:resources']) && { resources: router?.resources }),
  };
}

/**
 * Whether somebody else set a field, or a part of it.
 * Protocol: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */
function isSetByOthers({ managedFields = [] }: V1ObjectMeta, path: readonly string[]): boolean {
  const others = managedFields.filter(({ manager, subresource }) => manager !== FIELD_MANAGER && !subresource);
  return others.some(({ fieldsV1 }) => {
    let at: unknown = fieldsV1;
    for (const step of path) at = (at as Record<string, unknown> | undefined)?.[step];
    return at !== undefined;
  });
}
