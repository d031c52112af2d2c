/** The site's own wished state, as a host has it in files: a ConfigMap whose keys are YAML files. */
import { stringify } from 'yaml';
import { API_VERSION } from '../../site/resources.ts';
import { OWN_LABELS, RESOURCE_LABEL, SITE_CONFIG } from '../names.ts';
import type { KubeObject } from '../objects.ts';
import { LINKS_PORT } from '../ports.ts';
import type { WayIn } from '../types.ts';

export function siteConfig(name: string, wayIn: WayIn): KubeObject {
  const site = { apiVersion: API_VERSION, kind: 'Site', metadata: { name } };
  const access = {
    apiVersion: API_VERSION,
    kind: 'RouterAccess',
    metadata: { name: 'links' },
    // Without a way in the port is still there for the API server's port-forward, which comes from the pod's own loopback.
    spec: { roles: [{ name: 'inter-router', port: LINKS_PORT }], bindHost: wayIn === 'none' ? '127.0.0.1' : '0.0.0.0' },
  };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: SITE_CONFIG, labels: { ...OWN_LABELS, [RESOURCE_LABEL]: 'true' } },
    data: { 'site.yaml': stringify(site), 'router-access.yaml': stringify(access) },
  };
}
