import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { parse } from 'yaml';
import type { KubeconfigCluster, KubeconfigUser } from './kubeconfig.ts';

interface Kubeconfig {
  clusters: [{ cluster: KubeconfigCluster }];
  users: [{ user: KubeconfigUser }];
}

export interface WatchEvent {
  type: string;
  object: unknown;
}

/** As much of a client of the Kubernetes API as the lab itself needs. Not the product's, which the lab is there to test. */
export class Api {
  readonly #server: string;
  readonly #ca: string;
  readonly #token: string;

  /** @param kubeconfig The path of a file that the lab wrote. */
  constructor(kubeconfig: string) {
    const config: Kubeconfig = parse(readFileSync(kubeconfig, 'utf8'));
    const { cluster } = config.clusters[0];
    this.#server = cluster.server;
    this.#ca = Buffer.from(cluster['certificate-authority-data'] ?? '', 'base64').toString();
    this.#token = config.users[0].user.token ?? '';
  }

  /** @throws {Error} For any other answer than 200, and for none within 10 seconds. */
  async call(method: string, path: string, body?: unknown): Promise<string> {
    let answer = '';
    for await (const line of this.#send(method, path, body, AbortSignal.timeout(10_000))) answer += `${line}\n`;
    return answer;
  }

  /** The changes of a list from now on, until the API server ends the request, as it does now and then. */
  async *watch(path: string): AsyncGenerator<WatchEvent> {
    for await (const line of this.#send('GET', `${path}?watch=1`)) {
      const event: WatchEvent = JSON.parse(line);
      yield event;
    }
  }

  async *#send(method: string, path: string, body?: unknown, signal?: AbortSignal): AsyncGenerator<string> {
    const headers = { authorization: `Bearer ${this.#token}`, 'content-type': 'application/merge-patch+json' };
    const sent = request(this.#server + path, { method, headers, ca: this.#ca, agent: false, signal });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      sent.on('response', resolve);
      sent.on('error', reject);
    });
    sent.end(body === undefined ? undefined : JSON.stringify(body));
    const response = await answered;
    if (response.statusCode !== 200) throw new Error(`${method} ${path}: ${response.statusCode} ${await text(response)}`);
    yield* createInterface({ input: response });
  }
}
