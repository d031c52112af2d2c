/** The site's own wished state, as a host has it in files: a ConfigMap whose keys are YAML files. */
import { parseAllDocuments, stringify } from 'yaml';
import { CaravanError } from '../../errors.ts';
import { API_VERSION } from '../../site/resources.ts';
import { OWN_LABELS, RESOURCE_LABEL, SITE_CONFIG } from '../names.ts';
import type { KubeObject } from '../objects.ts';
import { LINKS_PORT, TUNNEL_PORT } from '../ports.ts';
import type { CreateSiteRequest, WayIn } from '../types.ts';
import type { LiveSite } from './live-site.ts';

type Files = Record<string, string>;
type Ways = Pick<CreateSiteRequest, 'wayIn' | 'ingress'>;

const ACCESS_FILE = 'router-access.yaml';

/** `live`: a site that is there already. All of its files stay as their owner has them, but for the way in. */
export function siteConfig(name: string, wished: Ways, live?: Pick<LiveSite, 'config' | 'wayIn'>): KubeObject {
  const site = { apiVersion: API_VERSION, kind: 'Site', metadata: { name } };
  const files: Files = live?.config?.data ?? { 'site.yaml': stringify(site) };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: SITE_CONFIG, labels: { ...OWN_LABELS, [RESOURCE_LABEL]: 'true' } },
    data: { ...files, [ACCESS_FILE]: withWayIn(files[ACCESS_FILE] ?? newAccess(), wished, live?.wayIn) },
  };
}

function newAccess(): string {
  const spec = { roles: [{ name: 'inter-router', port: LINKS_PORT }] };
  return stringify({ apiVersion: API_VERSION, kind: 'RouterAccess', metadata: { name: 'links' }, spec });
}

/**
 * Without a way in the port is still there for the API server's port-forward, which comes from the pod's own loopback. Else it is open on
 * every address, which in a pod may be of IPv4, IPv6 or both. `before`: the way in until now.
 */
function withWayIn(text: string, { wayIn, ingress }: Ways, before: WayIn | undefined): string {
  const documents = [...parseAllDocuments(text)];
  const access = documents.find((document) => document.get('kind') === 'RouterAccess');
  if (!access || documents.some(({ errors }) => errors.length > 0))
    throw new CaravanError(
      'bad-request',
      `${ACCESS_FILE} in the ConfigMap ${SITE_CONFIG} cannot be read as a RouterAccess: mend it first.`,
    );
  if (wayIn === 'none') access.setIn(['spec', 'bindHost'], '127.0.0.1');
  else access.deleteIn(['spec', 'bindHost']);
  for (const [setting, value] of Object.entries({ tunnel: ingress?.url, tunnelPort: String(TUNNEL_PORT) }))
    if (wayIn === 'Ingress') access.setIn(['spec', 'settings', setting], value);
    else if (before === 'Ingress') access.deleteIn(['spec', 'settings', setting]);
  return documents.map(String).join('');
}
