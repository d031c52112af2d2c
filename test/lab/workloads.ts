import type { Cluster } from './cluster.ts';

/** Workloads for specs, as strict as the pod security standard `restricted` wants them. */

const POD_SECURITY = { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } };
const CONTAINER_SECURITY = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } };

export interface WebServerOptions {
  /** The body of every answer. */
  says: string;
  /** Default 1. */
  replicas?: number;
  annotations?: Record<string, string>;
}

/** A Deployment of HTTP servers on port 8080. */
export function webServer(name: string, { says, replicas = 1, annotations = {} }: WebServerOptions): string {
  const program = `require('node:http').createServer((_, response) => response.end(${JSON.stringify(says)})).listen(8080)`;
  const readinessProbe = { httpGet: { port: 8080, path: '/' }, periodSeconds: 1 };
  return deployment(name, {
    replicas,
    annotations,
    command: ['node', '-e', program],
    ports: [{ containerPort: 8080 }],
    readinessProbe,
  });
}

/** A Deployment of one pod that does nothing: to run commands in. */
export function shell(name: string): string {
  return deployment(name, { replicas: 1, annotations: {}, command: ['sleep', '100000'] });
}

/** What a pod of the Deployment that `shell('client')` made gets from a URL. */
export async function fetchInPod({ cluster, namespace }: { cluster: Cluster; namespace: string }, url: string): Promise<string> {
  const program =
    'fetch(process.argv[1], { signal: AbortSignal.timeout(2000) }).then((answer) => answer.text()).then(console.log)';
  return (await cluster.run('exec', '-n', namespace, 'deployment/client', '--', 'node', '-e', program, url)).trim();
}

function deployment(
  name: string,
  {
    replicas,
    annotations,
    ...container
  }: { replicas: number; annotations: Record<string, string>; command: string[]; ports?: object[]; readinessProbe?: object },
): string {
  return JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, annotations },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          terminationGracePeriodSeconds: 1,
          securityContext: POD_SECURITY,
          containers: [{ name, image: 'node:24-alpine', securityContext: CONTAINER_SECURITY, ...container }],
        },
      },
    },
  });
}
