/** The router's Deployment and the Service through which links come in. */
import { PROCESS_ENVIRONMENT } from '../../api/process-environment.ts';
import {
  CARAVAN,
  LINKS_SERVICE,
  OWN_LABELS,
  COMPONENT,
  ROUTER_LABELS,
  RUNTIME_ANNOTATION,
  RUNTIME_CONFIG,
  SITE_ANNOTATION,
  VERSION_LABEL,
} from '../names.ts';
import type { KubeObject } from '../objects.ts';
import { HEALTH_PORT, LINKS_PORT } from '../ports.ts';
import type { Runtime } from './bundles.ts';

/** A node that is not heard of for so long has lost its router's pod. Seconds. */
const LOST_NODE_S = 30;

export const DEFAULT_IMAGE = 'node:24-alpine';
/** The `node` user of Node's own images. Pod security `restricted` wants a number that is not 0. */
const USER_ID = 1000;
const BUNDLES_PATH = '/opt/caravan';
const WORK_PATH = '/run/caravan';

/**
 * Unpacks the bundles into the one folder that may be written to, then becomes the CLI: `runMain` runs it as `node FILE` would, in the
 * process that gets the kubelet's signals.
 */
const BOOTSTRAP = `
const fs = require('node:fs'), zlib = require('node:zlib');
for (const file of fs.readdirSync('${BUNDLES_PATH}').filter((name) => name.endsWith('.br')))
  fs.writeFileSync('${WORK_PATH}/' + file.slice(0, -3), zlib.brotliDecompressSync(fs.readFileSync('${BUNDLES_PATH}/' + file)));
process.argv = [process.argv[0], '${WORK_PATH}/caravan.cjs', 'run', '--kubernetes'];
require('node:module').runMain();
`.trim();

export interface RouterOptions {
  siteName: string;
  image: string;
  runtime: Pick<Runtime, 'version' | 'digest'>;
}

export function routerDeployment({ siteName, image, runtime }: RouterOptions): KubeObject {
  const version = { [VERSION_LABEL]: runtime.version };
  const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  const probe = { httpGet: { path: '/healthz', port: 'health' } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: CARAVAN,
      labels: { ...OWN_LABELS, [COMPONENT]: 'router', ...version },
      annotations: { [SITE_ANNOTATION]: siteName },
    },
    spec: {
      replicas: 1,
      // Two routers with one identity would be one too many, even for a moment.
      strategy: { type: 'Recreate' },
      selector: { matchLabels: ROUTER_LABELS },
      template: {
        metadata: {
          labels: { ...OWN_LABELS, ...ROUTER_LABELS, ...version },
          annotations: { [RUNTIME_ANNOTATION]: runtime.digest },
        },
        spec: {
          serviceAccountName: CARAVAN,
          // A variable for every Service of the namespace: the proxies would be among them.
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 15,
          // Of a node that is lost: Services may point at the router, and do not wait Kubernetes' five minutes for another.
          tolerations: ['not-ready', 'unreachable'].map((state) => ({
            key: `node.kubernetes.io/${state}`,
            operator: 'Exists',
            effect: 'NoExecute',
            tolerationSeconds: LOST_NODE_S,
          })),
          securityContext: {
            runAsNonRoot: true,
            runAsUser: USER_ID,
            runAsGroup: USER_ID,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [
            {
              name: 'router',
              image,
              command: ['node', '-e', BOOTSTRAP],
              env: [
                field('CARAVAN_NAMESPACE', 'metadata.namespace'),
                field('CARAVAN_POD', 'metadata.name'),
                field('CARAVAN_HOST_IP', 'status.hostIP'),
                { name: 'HOME', value: WORK_PATH },
                { name: 'TMPDIR', value: WORK_PATH },
                ...Object.entries(PROCESS_ENVIRONMENT).map(([name, value]) => ({ name, value })),
              ],
              ports: [
                { name: 'links', containerPort: LINKS_PORT, protocol: 'TCP' },
                { name: 'health', containerPort: HEALTH_PORT, protocol: 'TCP' },
              ],
              readinessProbe: { ...probe, periodSeconds: 1, failureThreshold: 3, timeoutSeconds: 2 },
              livenessProbe: { ...probe, initialDelaySeconds: 20, periodSeconds: 10, failureThreshold: 6, timeoutSeconds: 5 },
              resources: { requests: { cpu: '50m', memory: '128Mi' } },
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
            { name: 'bundles', configMap: { name: RUNTIME_CONFIG } },
            { name: 'work', emptyDir: {} },
          ],
        },
      },
    },
  };
}

export function runtimeConfig({ binaryData }: Runtime): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: RUNTIME_CONFIG, labels: OWN_LABELS }, binaryData };
}

export function linksService(type: 'LoadBalancer' | 'NodePort'): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: LINKS_SERVICE, labels: { ...OWN_LABELS, [COMPONENT]: 'links' } },
    spec: {
      type,
      selector: ROUTER_LABELS,
      ports: [{ name: 'links', port: LINKS_PORT, targetPort: 'links', protocol: 'TCP' }],
    },
  };
}
