import type { SiteControl, Unsubscribe } from '../../runtime/api/control.ts';
import type { InterceptRequest, MadeIntercept, MadeResource, Status } from '../../runtime/api/types.ts';
import { CaravanError } from '../../runtime/errors.ts';

/** A site that remembers what it was asked; what it answers can be changed from a test. */
export class FakeSite implements SiteControl {
  readonly calls: { name: string; argument: unknown }[] = [];
  readonly watchers = new Set<() => void>();
  state: Status;
  /** The next call fails with this. */
  failure: Error | undefined;

  constructor(name = 'laptop') {
    this.state = fakeStatus(name);
  }

  status(): Status {
    return this.state;
  }

  onChange(changed: () => void): Unsubscribe {
    this.watchers.add(changed);
    return () => this.watchers.delete(changed);
  }

  /** Changes the status and tells the watchers. */
  change(part: Partial<Status>): void {
    this.state = { ...this.state, ...part };
    for (const changed of this.watchers) changed();
  }

  leave() {
    this.#called('leave', undefined);
    return Promise.resolve();
  }

  explain(address: string) {
    this.#called('explain', address);
    return {
      address,
      summary: `${address} is offered by west.`,
      steps: [{ ok: true, title: 'west offers it', detail: 'tcp, port 5432' }],
    };
  }

  async issueToken(request: object) {
    this.#called('issueToken', request);
    return { yaml: 'kind: AccessToken\n', name: 'token-1', expires: '2030-01-01T00:00:00.000Z', uses: 1 };
  }

  async redeemToken(request: { yaml: string }) {
    this.#called('redeemToken', request);
    return { link: 'west', peer: 'west' };
  }

  async intercept(request: InterceptRequest): Promise<MadeIntercept> {
    this.#called('intercept', request);
    const { address, header } = request;
    return { kind: 'Connector', name: `intercept-${address}`, ...(header && { header }) };
  }

  async expose(request: { address: string }): Promise<MadeResource> {
    this.#called('expose', request);
    return { kind: 'Connector', name: request.address };
  }

  async listen(request: { address: string }): Promise<MadeResource> {
    this.#called('listen', request);
    return { kind: 'Listener', name: request.address };
  }

  async openProxy({ port }: { port?: number }) {
    this.#called('openProxy', { port });
    return { host: '127.0.0.1', port: port || 40_123 };
  }

  async closeProxy(): Promise<void> {
    this.#called('closeProxy', undefined);
  }

  async remove(resource: MadeResource): Promise<void> {
    this.#called('remove', resource);
    if (resource.name === 'missing') throw new CaravanError('not-found', `There is no ${resource.kind} missing.`);
  }

  async revoke(site: string): Promise<number> {
    this.#called('revoke', site);
    return 2;
  }

  #called(name: string, argument: unknown): void {
    this.calls.push({ name, argument });
    const { failure } = this;
    this.failure = undefined;
    if (failure) throw failure;
  }
}

/** A site that knows two others, as `caravan status` would tell of it. */
export function fakeStatus(name = 'laptop'): Status {
  const since = '2026-01-01T11:57:00.000Z';
  return {
    site: { id: `${name}-id`, name, version: '0.1.0', platform: 'host' },
    router: { id: `${name}-id`, startTime: since, pid: 4711 },
    sites: [
      {
        id: `${name}-id`,
        name,
        version: '0.1.0',
        platform: 'host',
        routers: [`${name}-id`],
        reachable: true,
        neighbors: [{ site: 'west', cost: 1 }],
      },
      {
        id: 'west-id',
        name: 'west',
        version: '0.1.0',
        platform: 'kubernetes',
        namespace: 'shop',
        routers: ['west-1'],
        reachable: true,
        neighbors: [],
      },
    ],
    links: [
      {
        id: 'west',
        site: name,
        peer: 'west',
        cost: 1,
        state: 'up',
        direction: 'outgoing',
        endpoint: '203.0.113.7:8443',
        since,
        rttMs: 0.42,
      },
      {
        id: 'east',
        site: name,
        cost: 5,
        state: 'connecting',
        direction: 'outgoing',
        message: 'east.example:8443 refuses the connection.',
        since,
      },
    ],
    services: [
      {
        address: 'backend',
        type: 'http',
        distribution: 'balanced',
        ports: [8080],
        destinations: [
          ...['a', 'b', 'c'].map((pod) => ({
            site: 'west',
            siteId: 'west-id',
            router: 'west-1',
            target: `backend-${pod}`,
            port: 8080,
          })),
          ...['a', 'b'].map((pod) => ({
            site: 'east',
            siteId: 'east-id',
            router: 'east-1',
            target: `backend-${pod}`,
            port: 8080,
          })),
        ],
      },
      { address: 'search', type: 'tcp', distribution: 'closest', ports: [9200], destinations: [], lastOffered: since },
    ],
    listeners: [
      {
        name: 'backend',
        address: 'backend',
        type: 'http',
        host: '127.0.0.1',
        port: 8080,
        servicePort: 8080,
        state: 'open',
        source: 'auto',
        connections: 0,
      },
    ],
    connectors: [],
    access: [],
    problems: [],
  };
}
