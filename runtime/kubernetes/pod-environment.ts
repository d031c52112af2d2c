/**
 * The environment that the containers of a workload have, worked out from its pod template: for programs that run elsewhere in a pod's place.
 * What the kubelet does with it: `makeEnvironmentVariables` (kubernetes/kubernetes, pkg/kubelet/kubelet_pods.go).
 */
import type { V1Container, V1EnvVar, V1EnvVarSource, V1Pod } from '@kubernetes/client-node';
import { CaravanError } from '../errors.ts';
import { isStatus } from './api-errors.ts';
import type { ClusterClient } from './client.ts';
import { nameOf } from './objects.ts';
import { isAlive, isReady, matchesSelector } from './pods.ts';
import type { CallOptions, PodEnvironment, PodEnvironmentRequest } from './types.ts';

/** Which container of several kubectl means. */
const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';

/**
 * Rejects with `not-found` where there is no such workload or container. Secrets are read only where that is asked for; what cannot be had is
 * left out and named.
 */
export async function podEnvironmentWith(
  client: ClusterClient,
  { kind, namespace, name, container: wanted, secrets: readsSecrets = false }: PodEnvironmentRequest,
  options: CallOptions = {},
): Promise<PodEnvironment> {
  const workload = await client.read(kind, namespace, name, options);
  if (!workload)
    throw new CaravanError('not-found', `There is no ${kind} ${name} in the namespace ${namespace} (${client.where}).`);
  const { selector, template } = workload.spec ?? {};
  const container = chosen(template?.spec?.containers ?? [], wanted ?? template?.metadata?.annotations?.[DEFAULT_CONTAINER]);
  if (!container) {
    const names = (template?.spec?.containers ?? []).map((each) => each.name).join(', ');
    throw new CaravanError('not-found', `${kind} ${name} has no container ${wanted}; it has ${names}.`);
  }
  const found: PodEnvironment = { variables: {}, secrets: [], missing: [] };
  const maps = new Map<string, Promise<Record<string, string> | undefined>>();
  /** Each is asked for once. One that may not be read is told once, and is as if it were not there. */
  const once = (key: string, load: () => Promise<Record<string, string> | undefined>) => {
    const known = maps.get(key) ?? load().catch((error: unknown) => forbidden(error));
    maps.set(key, known);
    return known;
  };
  const forbidden = (error: unknown) => {
    if (!isStatus(error, 403)) throw error;
    found.missing.push(error.message.replace(/\.$/, ''));
    return undefined;
  };
  const configMap = (of: string) =>
    once(`ConfigMap ${of}`, async () => (await client.read('ConfigMap', namespace, of, options))?.data);
  const secret = (of: string) =>
    once(`Secret ${of}`, async () => {
      const data = (await client.read('Secret', namespace, of, options))?.data;
      return (
        data && Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]))
      );
    });
  const pod = () => runningPod(client, namespace, selector ?? {}, options);

  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    if (secretRef && !readsSecrets) found.secrets.push(`all of Secret ${secretRef.name}`);
    else if (configMapRef) await addAll(prefix, `ConfigMap ${configMapRef.name}`, configMapRef, configMap);
    else if (secretRef) await addAll(prefix, `Secret ${secretRef.name}`, secretRef, secret);
  }
  const leftOut = new Set<string>();
  /** What `$(NAME)` may refer to: what stands before it in `env`. */
  const before: Record<string, string> = {};
  for (const variable of container.env ?? []) {
    const value = await valueOf(variable);
    if (value === undefined) {
      leftOut.add(variable.name);
      continue;
    }
    before[variable.name] = found.variables[variable.name] = value;
    const unknown = variable.valueFrom ? undefined : /\$\((\w+)\)/.exec(value.replaceAll('$$', ''))?.[1];
    if (unknown !== undefined && leftOut.has(unknown))
      found.missing.push(`${variable.name} refers to ${unknown}, which is left out`);
  }
  return found;

  type Load = (name: string) => Promise<Record<string, string> | undefined>;

  async function addAll(prefix: string, what: string, ref: { name?: string; optional?: boolean }, load: Load): Promise<void> {
    const data = await load(ref.name ?? '');
    if (data) for (const [key, value] of Object.entries(data)) found.variables[prefix + key] = value;
    else if (!ref.optional) found.missing.push(`there is no ${what}`);
  }

  async function valueOf({ name: variable, value = '', valueFrom }: V1EnvVar): Promise<string | undefined> {
    if (!valueFrom) return expanded(value, before);
    const { configMapKeyRef, secretKeyRef, fieldRef } = valueFrom;
    if (secretKeyRef && !readsSecrets) {
      found.secrets.push(`${variable} (Secret ${secretKeyRef.name})`);
      return undefined;
    }
    if (configMapKeyRef) return keyOf(variable, `ConfigMap ${configMapKeyRef.name}`, configMapKeyRef, configMap);
    if (secretKeyRef) return keyOf(variable, `Secret ${secretKeyRef.name}`, secretKeyRef, secret);
    if (fieldRef) return fieldOf(variable, fieldRef.fieldPath, await pod());
    found.missing.push(`${variable} is ${whatOf(valueFrom)}, which only a pod has`);
    return undefined;
  }

  async function keyOf(
    variable: string,
    what: string,
    { name: of = '', key, optional }: { name?: string; key: string; optional?: boolean },
    load: Load,
  ): Promise<string | undefined> {
    const value = (await load(of))?.[key];
    if (value === undefined && !optional) found.missing.push(`${variable} is ${key} of ${what}, which is not there`);
    return value;
  }

  function fieldOf(variable: string, path: string, of: V1Pod | undefined): string | undefined {
    const value = of && podField(of, path);
    if (value === undefined) found.missing.push(`${variable} is ${path} of a pod, and ${of ? 'it has none' : 'none runs'}`);
    return value;
  }
}

function chosen(containers: V1Container[], wanted: string | undefined): V1Container | undefined {
  return wanted === undefined ? containers[0] : containers.find(({ name }) => name === wanted);
}

async function runningPod(
  client: ClusterClient,
  namespace: string,
  selector: Parameters<typeof matchesSelector>[1],
  options: CallOptions,
): Promise<V1Pod | undefined> {
  const { items } = await client.list('Pod', namespace, options);
  const pods = items
    .filter((pod) => isAlive(pod) && matchesSelector(pod, selector))
    .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  return pods.find(isReady) ?? pods[0];
}

function whatOf(source: V1EnvVarSource): string {
  return source.resourceFieldRef ? source.resourceFieldRef.resource : 'something';
}

/** The fields that the downward API knows (kubernetes.io/docs/concepts/workloads/pods/downward-api). */
function podField({ metadata, spec, status }: V1Pod, path: string): string | undefined {
  const [, map, key] = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path) ?? [];
  if (map !== undefined) return metadata?.[map as 'labels' | 'annotations']?.[key!] ?? '';
  const fields: Record<string, string | undefined> = {
    'metadata.name': metadata?.name,
    'metadata.namespace': metadata?.namespace,
    'metadata.uid': metadata?.uid,
    'spec.nodeName': spec?.nodeName,
    'spec.serviceAccountName': spec?.serviceAccountName,
    'status.hostIP': status?.hostIP,
    'status.hostIPs': status?.hostIPs?.map(({ ip }) => ip).join(','),
    'status.podIP': status?.podIP,
    'status.podIPs': status?.podIPs?.map(({ ip }) => ip).join(','),
  };
  return fields[path];
}

/** `$(NAME)` is replaced where it is known, and `$$` is one `$` (kubernetes/kubernetes, third_party/forked/golang/expansion). */
function expanded(text: string, known: Record<string, string>): string {
  return text.replaceAll(/\$(\$|\(([^)]*)\))/g, (all, what: string, name: string) => (what === '$' ? '$' : (known[name] ?? all)));
}
