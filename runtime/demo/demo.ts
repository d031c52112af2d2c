/**
 * The embedded network: three sites and a sample application, each a process of its own. A page of the frontend on `laptop` comes from
 * the backend in `cloud`, which reads the orders in `onprem`; laptop and cloud are linked with onprem only, so that it is on the way.
 */
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAnswered } from '../api/sockets.ts';
import { CaravanError } from '../errors.ts';
import { Child } from './child.ts';
import { DemoSite, DEMO_SITES, demoSocket, type DemoSiteName } from './sites.ts';

/** The ports that the sample application would like: outside of what developers' own servers use. */
const PORTS = { frontend: 8750, backend: 8751, orders: 8752 };

interface DemoOptions {
  /** Where its files are while it runs; default the system's temporary folder. */
  data?: string | undefined;
  /** One step of the progress. */
  step: (text: string) => void;
  /** A line that a child wrote to its log. */
  onLine: (line: string) => void;
}

export class Demo {
  readonly #options: DemoOptions;
  readonly #children: Child[] = [];
  #folder = '';
  #failed!: (error: CaravanError) => void;
  /** Rejects when a child ends that should not. */
  readonly failed = new Promise<never>((_, reject) => {
    this.#failed = reject;
  });

  constructor(options: DemoOptions) {
    this.#options = options;
    this.failed.catch(() => {}); // it may fail while nobody waits
  }

  /** Starts everything; resolves to the page's URL. Where it rejects, `end` has still to be called. */
  async start(): Promise<string> {
    return Promise.race([this.#start(), this.failed]);
  }

  async #start(): Promise<string> {
    const { step, data = tmpdir() } = this.#options;
    if ((await Promise.all(DEMO_SITES.map((name) => isAnswered(demoSocket(name))))).includes(true))
      throw new CaravanError(
        'conflict',
        'The demo runs already: end it first, or look at it with "caravan status --socket demo-laptop".',
      );
    await mkdir(data, { recursive: true });
    this.#folder = await mkdtemp(join(data, 'caravan-demo-'));
    await chmod(this.#folder, 0o700);

    step('Starting the sites cloud, onprem and laptop');
    const [cloud, onprem, laptop] = await Promise.all([this.#site('cloud'), this.#site('onprem'), this.#site('laptop')]);
    step('Linking them: onprem with cloud, laptop with onprem');
    await Promise.all([onprem.linkWith(cloud), laptop.linkWith(onprem)]);

    step('Starting the sample application: orders in onprem, backend in cloud, frontend on laptop');
    const orders = await this.#app('orders');
    await Promise.all([
      onprem.client.expose({ address: 'orders', port: orders }),
      cloud.client.listen({ address: 'orders', port: 0 }),
    ]);
    const backend = await this.#app('backend', 'ORDERS', await cloud.listenerOf('orders'));
    await cloud.client.expose({ address: 'backend', port: backend });
    const frontend = await this.#app('frontend', 'BACKEND', await laptop.listenerOf('backend'));
    return `http://127.0.0.1:${frontend}/`;
  }

  /** Ends what was started, the application first, and removes its files. Always resolves. */
  async end(): Promise<void> {
    const children = this.#children.splice(0).reverse();
    await Promise.all(children.map((child) => child.end()));
    if (this.#folder !== '') await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }

  async #site(name: DemoSiteName): Promise<DemoSite> {
    const site = await DemoSite.start(name, this.#folder, this.#prefixed(name));
    this.#watch(site.child);
    await site.ready();
    return site;
  }

  /** Starts a part of the application, which finds the part that it needs in its environment; resolves to its port. */
  async #app(name: keyof typeof PORTS, needs?: string, at?: { host: string; port: number }): Promise<number> {
    const env = {
      PORT: String(PORTS[name]),
      ...(at && { [`${needs}_SERVICE_HOST`]: at.host, [`${needs}_SERVICE_PORT`]: String(at.port) }),
    };
    const child = new Child({ name: `the application's ${name}`, args: ['demo-app', name], env, onLine: this.#prefixed(name) });
    this.#watch(child);
    const [, port] = await child.ready(/ is ready, port (\d+)/);
    return Number(port);
  }

  #watch(child: Child): void {
    this.#children.push(child);
    void child.died.then((message) => this.#failed(new CaravanError('not-running', message)));
  }

  #prefixed(name: string): (line: string) => void {
    return (line) => this.#options.onLine(`${name}: ${line}`);
  }
}
