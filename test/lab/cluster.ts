import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { until } from '../support/until.ts';
import { command } from './command.ts';
import type { Namespaces } from './namespaces.ts';

/** A port of this machine that leads to one in the cluster. */
export interface PortForward {
  port: number;
  close(): void;
}

export interface ClusterOptions {
  name: string;
  context: string;
  kubeconfigPath: string;
  nodeAddress: string;
  logDirectory?: string;
  /** What its one node runs in, if the lab runs it. */
  node?: Namespaces;
  /** The program and first arguments that are kubectl. */
  kubectl: string[];
  /** A folder for files that are of use as long as the cluster is, such as kubeconfig files of other users. */
  scratch: string;
  /** kubectl's cache, apart from the user's own. */
  cache: string;
}

/** A Kubernetes cluster that specs may use: one that the lab runs, or one of the user's. */
export class Cluster {
  /** `west` or `east`. */
  readonly name: string;
  /** In the kubeconfig file. The same as the name, unless it is a cluster of the user's. */
  readonly context: string;
  readonly kubeconfigPath: string;
  /** Where NodePorts are reached, from this machine and from the other cluster's pods. */
  readonly nodeAddress: string;
  /** Where its components write to, if the lab runs them. */
  readonly logDirectory: string | undefined;
  readonly scratch: string;
  /** What its one node runs in, if the lab runs it. */
  readonly node: Namespaces | undefined;
  readonly #kubectl: string[];
  readonly #cache: string;
  readonly #namespaces = new Set<string>();

  constructor(options: ClusterOptions) {
    this.name = options.name;
    this.context = options.context;
    this.kubeconfigPath = options.kubeconfigPath;
    this.nodeAddress = options.nodeAddress;
    this.logDirectory = options.logDirectory;
    this.scratch = options.scratch;
    this.node = options.node;
    this.#kubectl = options.kubectl;
    this.#cache = options.cache;
  }

  /**
   * Runs kubectl with the cluster's context and gives what it wrote to stdout. Two minutes at most.
   *
   * @example await cluster.run('get', 'pods', '-n', namespace, '-o', 'json')
   * @throws {CommandError} With what kubectl said.
   */
  run(...args: string[]): Promise<string> {
    return this.#run(args);
  }

  /** Applies manifests. Those that name no namespace get the given one, or `default`. */
  async apply(yaml: string, namespace = 'default'): Promise<void> {
    await this.#run(['apply', '-n', namespace, '-f', '-'], yaml);
  }

  /**
   * Makes a namespace that this object's end deletes. Its name starts as asked and is otherwise its own, because a cluster can
   * outlive a spec and may be the user's.
   *
   * @param options.restricted Whether it takes only pods that the pod security standard `restricted` lets in.
   * @returns The name.
   */
  async createNamespace(prefix: string, options: { restricted?: boolean } = {}): Promise<string> {
    const name = `${prefix}-${randomBytes(3).toString('hex')}`;
    const labels = options.restricted ? { 'pod-security.kubernetes.io/enforce': 'restricted' } : {};
    await this.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }));
    this.#namespaces.add(name);
    // Pods made before it exists are refused, and tried again only with growing pauses.
    await until(`the service account of namespace ${name}`, () => this.run('get', 'serviceaccount', 'default', '-n', name));
    return name;
  }

  /** Deletes a namespace and waits until it is gone. */
  async deleteNamespace(name: string): Promise<void> {
    await this.run('delete', 'namespace', name, '--ignore-not-found');
    this.#namespaces.delete(name);
  }

  /**
   * Forwards a free port of this machine's loopback to one in the cluster.
   *
   * @param target As kubectl takes it: `svc/shop`, `deployment/shop`, `pod/shop-0`.
   */
  async portForward(namespace: string, target: string, port: number): Promise<PortForward> {
    const [file = '', ...first] = this.#kubectl;
    const args = [...first, ...this.#arguments(), 'port-forward', '-n', namespace, target, `:${port}`];
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], env: this.#environment() });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk));
    const local = await new Promise<number>((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const match = /^Forwarding from 127\.0\.0\.1:(\d+)/.exec(line);
        if (match) resolve(Number(match[1]));
      });
      child.on('error', reject);
      child.on('exit', () => reject(new Error(`port-forward to ${target} ended: ${said.trim()}`)));
    });
    return { port: local, close: () => void child.kill() };
  }

  /** Asks for the deletion of the namespaces that were made here and are still there. Does not wait for it. */
  async deleteNamespaces(): Promise<void> {
    const names = [...this.#namespaces];
    this.#namespaces.clear();
    if (names.length > 0) await this.run('delete', 'namespace', '--ignore-not-found', '--wait=false', ...names);
  }

  #run(args: string[], input?: string): Promise<string> {
    const [file = '', ...first] = this.#kubectl;
    const env = this.#environment();
    return command(file, [...first, ...this.#arguments(), ...args], { input, env, timeout: 120_000 });
  }

  #arguments(): string[] {
    return ['--kubeconfig', this.kubeconfigPath, '--context', this.context];
  }

  #environment(): Record<string, string | undefined> {
    return { ...process.env, KUBECACHEDIR: this.#cache };
  }
}
