/** The router's Deployment and the Service through which links come in. */
import type { V1ServicePort } from '@kubernetes/client-node';
import { PROCESS_ENVIRONMENT } from '../../api/process-environment.ts';
import {
  CARAVAN,
  LINKS_SERVICE,
  OWN_LABELS,
  COMPONENT,
  POD_TEMPLATE_ANNOTATION,
  ROUTER_LABELS,
  RUNTIME_CONFIG,
  SITE_ANNOTATION,
  TUNNELS,
  VERSION_LABEL,
} from '../names.ts';
import type { KubeObject } from '../objects.ts';
import { HEALTH_PORT, LINKS_PORT, TUNNEL_PORT } from '../ports.ts';
import type { WayIn } from '../types.ts';
import type { Runtime } from './bundles.ts';
import type { Kept } from './live-site.ts';
import { withWishes } from './pod-template.ts';

/** A node that is not heard of for so long has lost its router's pod. Seconds. */
const LOST_NODE_S = 30;

export const DEFAULT_IMAGE = 'node:24-alpine';
/**
 * The `node` user of Node's own images, which would run as root without it. Nothing needs this one: OpenShift gives each namespace a range of
 * numbers, picks one, and refuses others.
 */
const USER = { runAsUser: 1000, runAsGroup: 1000 };
/** Of a node that is lost: Services may point at the router, and do not wait Kubernetes' five minutes for another. */
const TOLERATIONS = ['not-ready', 'unreachable'].map((state) => ({
  key: `node.kubernetes.io/${state}`,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: LOST_NODE_S,
}));
const RESOURCES = { requests: { cpu: '50m', memory: '128Mi' } };
const BUNDLES_PATH = '/opt/caravan';
const WORK_PATH = '/run/caravan';

/**
 * Unpacks the bundles into the one folder that may be written to, then becomes the CLI: `runMain` runs it as `node FILE` would, in the
 * process that gets the kubelet's signals. Until the CLI listens to it, SIGTERM ends it here: the first process of a container that listens to
 * none outlives it, and keeps its successor waiting for as long as a pod may take to end.
 */
const BOOTSTRAP = `
process.on('SIGTERM', () => process.listenerCount('SIGTERM') > 1 || process.exit(143));
const fs = require('node:fs'), zlib = require('node:zlib');
for (const file of fs.readdirSync('${BUNDLES_PATH}').filter((name) => name.endsWith('.br')))
  fs.writeFileSync('${WORK_PATH}/' + file.slice(0, -3), zlib.brotliDecompressSync(fs.readFileSync('${BUNDLES_PATH}/' + file)));
process.argv = [process.argv[0], '${WORK_PATH}/caravan.cjs', 'run', '--kubernetes'];
require('node:module').runMain();
`.trim();

export interface RouterOptions extends Kept {
  siteName: string;
  runtime: Pick<Runtime, 'version' | 'digest'>;
  isOpenShift?: boolean | undefined;
}

export type RouterDeployment = Extract<KubeObject, { kind: 'Deployment' }>;

/** Where most installations of Prometheus look for what they are to ask. */
const METRICS = { 'prometheus.io/scrape': 'true', 'prometheus.io/port': String(HEALTH_PORT), 'prometheus.io/path': '/metrics' };

export function routerDeployment({ siteName, runtime, isOpenShift = false, ...kept }: RouterOptions): RouterDeployment {
  const { image = DEFAULT_IMAGE, podTemplate, tolerations = TOLERATIONS, resources = RESOURCES } = kept;
  const version = { [VERSION_LABEL]: runtime.version };
  const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  const probe = (path: string) => ({ httpGet: { path, port: 'health' } });
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: CARAVAN,
      labels: { ...OWN_LABELS, [COMPONENT]: 'router', ...version },
      annotations: {
        [SITE_ANNOTATION]: siteName,
        ...(podTemplate && { [POD_TEMPLATE_ANNOTATION]: JSON.stringify(podTemplate) }),
      },
    },
    spec: {
      replicas: 1,
      // `rollout undo` goes back to what ran before; the runtime of what ran before that is gone.
      revisionHistoryLimit: 1,
      // Two routers with one identity would be one too many, even for a moment.
      strategy: { type: 'Recreate' },
      selector: { matchLabels: ROUTER_LABELS },
      template: withWishes(
        {
          metadata: { labels: { ...OWN_LABELS, ...ROUTER_LABELS, ...version }, annotations: METRICS },
          spec: {
            serviceAccountName: CARAVAN,
            // A variable for every Service of the namespace: the proxies would be among them.
            enableServiceLinks: false,
            terminationGracePeriodSeconds: 15,
            tolerations,
            securityContext: {
              runAsNonRoot: true,
              ...(isOpenShift ? {} : USER),
              seccompProfile: { type: 'RuntimeDefault' },
            },
            containers: [
              {
                name: 'router',
                image,
                command: ['node', '-e', BOOTSTRAP],
                env: [
                  field('CARAVAN_NAMESPACE', 'metadata.namespace'),
                  field('CARAVAN_HOST_IP', 'status.hostIP'),
                  { name: 'HOME', value: WORK_PATH },
                  { name: 'TMPDIR', value: WORK_PATH },
                  ...Object.entries(PROCESS_ENVIRONMENT).map(([name, value]) => ({ name, value })),
                ],
                ports: [
                  { name: 'links', containerPort: LINKS_PORT, protocol: 'TCP' },
                  { name: 'health', containerPort: HEALTH_PORT, protocol: 'TCP' },
                ],
                readinessProbe: { ...probe('/healthz'), periodSeconds: 1, failureThreshold: 3, timeoutSeconds: 2 },
                livenessProbe: {
                  ...probe('/livez'),
                  initialDelaySeconds: 20,
                  periodSeconds: 10,
                  failureThreshold: 6,
                  timeoutSeconds: 5,
                },
                resources,
                securityContext: {
                  allowPrivilegeEscalation: false,
                  readOnlyRootFilesystem: true,
                  capabilities: { drop: ['ALL'] },
                },
                volumeMounts: [
                  { name: 'bundles', mountPath: BUNDLES_PATH, readOnly: true },
                  { name: 'work', mountPath: WORK_PATH },
                ],
              },
            ],
            volumes: [
              { name: 'bundles', configMap: { name: runtimeName(runtime) } },
              { name: 'work', emptyDir: {} },
            ],
          },
        },
        podTemplate ?? {},
      ),
    },
  };
}

/** Another runtime is another ConfigMap, so that a Deployment's revisions keep the code that they ran. */
export function runtimeConfig(runtime: Runtime): KubeObject {
  const metadata = { name: runtimeName(runtime), labels: { ...OWN_LABELS, [COMPONENT]: 'runtime' } };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, immutable: true, binaryData: runtime.binaryData };
}

export function runtimeName({ digest }: Pick<Runtime, 'digest'>): string {
  return `${RUNTIME_CONFIG}-${digest}`;
}

export function linksService(wayIn: Exclude<WayIn, 'none'>): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: LINKS_SERVICE, labels: { ...OWN_LABELS, [COMPONENT]: 'links' } },
    spec: {
      selector: ROUTER_LABELS,
      ...typeAndPorts(wayIn, [{ name: 'links', port: LINKS_PORT, targetPort: 'links', protocol: 'TCP' }]),
    },
  };
}

/** What a way in makes of a Service with these ports: an Ingress needs one for tunnels besides. */
export function typeAndPorts(wayIn: Exclude<WayIn, 'none'>, ports: V1ServicePort[]): { type: string; ports: V1ServicePort[] } {
  const direct = ports.filter(({ name }) => name !== TUNNELS);
  if (wayIn !== 'Ingress') return { type: wayIn, ports: direct };
  const tunnels = { name: TUNNELS, port: TUNNEL_PORT, targetPort: TUNNEL_PORT, protocol: 'TCP' };
  return { type: 'ClusterIP', ports: [...direct.map(withoutNodePort), tunnels] };
}

/** A Service of the type ClusterIP may have none. */
function withoutNodePort(port: V1ServicePort): V1ServicePort {
  return Object.assign({}, port, { nodePort: undefined });
}
