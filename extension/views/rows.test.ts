import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ConnectorStatus, Destination, LinkStatus, ServiceStatus, Status } from '../../runtime/api/types.ts';
import type { ContextView } from '../clusters/clusters.ts';
import type { SiteRef } from '../sites/site-ref.ts';
import type { SiteView } from '../sites/watched-site.ts';
import { networksOf } from './networks.ts';
import type { Row } from './row.ts';
import { serviceRows } from './service-rows.ts';
import { siteRows } from './site-rows.ts';
import type { Snapshot } from './snapshot.ts';
import { problemsOf, statusBarText } from './summary.ts';

const now = new Date('2026-01-01T12:00:00Z');
const west: SiteRef = { where: 'cluster', context: 'west', namespace: 'shop' };
const east: SiteRef = { where: 'cluster', context: 'east', namespace: 'shop' };
const laptop: SiteRef = { where: 'local', name: 'laptop', socket: '/l' };
const demo = (name: string): SiteRef => ({ where: 'local', name: `demo-${name}`, socket: '/d' });

const destination = (siteId: string, target: string): Destination => ({
  site: 'shop',
  siteId,
  router: siteId,
  target,
  port: 8080,
});
const service = (address: string, ...destinations: Destination[]): ServiceStatus => ({
  address,
  type: 'tcp',
  distribution: 'balanced',
  ports: [8080],
  destinations,
});
const link = (part: Partial<LinkStatus>): LinkStatus => ({
  id: 'l',
  site: 'shop',
  cost: 1,
  state: 'up',
  direction: 'outgoing',
  since: '2026-01-01T11:00:00Z',
  ...part,
});

function live(ref: SiteRef, id: string, others: string[], part: Partial<Status> = {}): SiteView {
  const site = { id, name: 'shop', version: '0.1.0', platform: 'host' as const };
  const sites = [id, ...others].map((other) => ({ ...site, id: other, routers: [other], reachable: true, neighbors: [] }));
  const nothing = { links: [], services: [], listeners: [], connectors: [], access: [], problems: [] };
  const router = { id, startTime: '2026-01-01T11:00:00Z', pid: 1 };
  return { ref, state: 'live', status: { site, router, sites, ...nothing, ...part } };
}
function context(name: string, part: Partial<ContextView>): ContextView {
  const info = {
    name,
    cluster: name,
    user: 'ada',
    namespace: 'default',
    server: `https://${name}`,
    current: false,
    file: '/kubeconfig',
  };
  return { info, state: 'answered', found: { sites: [], namespaces: ['default', 'shop'] }, ...part };
}
const inCluster = (part = {}) => ({
  namespace: 'shop',
  name: 'shop',
  version: '0.1.0',
  ready: true,
  wayIn: 'none' as const,
  ...part,
});
function snapshot(part: Partial<Snapshot>): Snapshot {
  return {
    kubeconfigProblems: [],
    condition: 'ready',
    contexts: [],
    sites: [],
    demo: { state: 'off' },
    showAllNamespaces: false,
    version: '0.1.0',
    now,
    ...part,
  };
}

/** The rows as the tree shows them. */
function drawn(rows: readonly Row[], indent = ''): string[] {
  return rows.flatMap(({ icon, label, description, children }) => [
    `${indent}${{ good: '●', off: '○', bad: '⚠', none: '·' }[icon[1] ?? 'none']} ${label}${description ? `  ${description}` : ''}`,
    ...drawn(children ?? [], `${indent}  `),
  ]);
}
const services = (part: Partial<Snapshot>) => drawn(serviceRows(snapshot(part), networksOf(part.sites ?? [])));

describe('Sites', () => {
  test('shows contexts that answer beside those that do not', () => {
    const contexts = [
      context('gone', { state: 'silent', problem: 'gone does not answer within 5 s.', code: 'timeout' }),
      context('denied', { state: 'silent', code: 'forbidden', problem: 'You may not list Deployments in default.' }),
      { ...context('slow', { state: 'asking' }), found: undefined } as unknown as ContextView,
      context('back', { state: 'asking', problem: 'back does not answer within 5 s.', code: 'timeout' }),
      context('west', { found: { sites: [inCluster()], namespaces: ['default', 'shop'] } }),
      context('busy', { state: 'asking', found: { sites: [inCluster()], namespaces: ['shop'] } }),
      context('east', {}),
    ];
    assert.deepEqual(drawn(siteRows(snapshot({ contexts }))), [
      '⚠ gone  does not answer (5 s)',
      '  ⚠ gone does not answer within 5 s.',
      '⚠ denied  gives you no right to look',
      '  ⚠ You may not list Deployments in default.',
      '○ slow  asking…',
      '⚠ back  does not answer (5 s) · asking again…',
      '  ⚠ back does not answer within 5 s.',
      '● west  1 site',
      '  ● shop  ready · v0.1.0',
      '○ busy  1 site',
      '  ● shop  ready · v0.1.0',
      '○ east  no site yet',
    ]);
  });

  test('shows what is followed of a context that is silent now', () => {
    const found = { sites: [inCluster()], namespaces: ['shop'] };
    const contexts = [context('west', { state: 'silent', problem: 'west does not answer within 5 s.', code: 'timeout', found })];
    assert.deepEqual(drawn(siteRows(snapshot({ contexts, sites: [live(west, 'w', [], {})] }))), [
      '⚠ west  does not answer (5 s)',
      '  ⚠ west does not answer within 5 s.',
      '  ● shop  ready · no links · v0.1.0',
    ]);
  });

  test('tells a context that may not be looked at from one that does not answer: a site may still be made there', () => {
    const codes = ['forbidden', 'timeout'] as const;
    const contexts = codes.map((code) => context(code, { state: 'silent', code, problem: 'No.' }));
    assert.deepEqual(siteRows(snapshot({ contexts })).map(({ flags }) => flags), ['context.silent.forbidden', 'context.silent']); // prettier-ignore
  });

  test('shows which sites have another version than the extension, and offers to upgrade them', () => {
    const found = { sites: [inCluster({ version: '0.0.9' }), inCluster({ namespace: 'web' })], namespaces: [] };
    const behind = (view: SiteView) => ({
      ...view,
      status: { ...view.status!, site: { ...view.status!.site, version: '0.0.9' } },
    });
    const rowsOf = (sites: SiteView[]) => siteRows(snapshot({ contexts: [context('west', { found })], sites }));
    const described = (rows: Row[]) => rows.at(-1)!.children!.map(({ description, flags }) => `${description} ${flags}`);
    assert.deepEqual(described(rowsOf([])), [
      'ready · v0.0.9, v0.1.0 is here site.cluster.ready.upgradable',
      'ready · v0.1.0 site.cluster.ready',
    ]);
    const rows = rowsOf([behind(live(west, 'w', [])), behind(live(laptop, 'l', []))]);
    assert.equal(described(rows)[0], 'ready · no links · v0.0.9, v0.1.0 is here site.cluster.live.upgradable');
    assert.equal(rows[0]!.description, 'ready · no links · v0.0.9', 'what runs here is not upgraded from here');
  });

  test('shows links, what a site offers and what it takes', () => {
    const connector = { type: 'tcp', distribution: 'balanced', port: 8080, source: 'Deployment', connections: 0 } as const;
    const listener = {
      type: 'tcp',
      host: '0.0.0.0',
      port: 10000,
      servicePort: 5432,
      state: 'open',
      source: 'auto',
      connections: 0,
    } as const;
    const site = live(west, 'w', ['e'], {
      links: [
        link({ peerId: 'e', rttMs: 0.41 }),
        link({ id: 'x', state: 'connecting', endpoint: '10.0.0.9:8443', message: 'connection refused' }),
      ],
      services: [service('backend', destination('w', 'a')), service('orders', destination('e', 'o'))],
      connectors: [
        { ...connector, name: 'backend', address: 'backend', targets: ['a', 'b', 'c'], state: 'ready' },
        {
          ...connector,
          name: 'cart',
          address: 'cart',
          targets: [],
          state: 'pending',
          message: 'no pod of Deployment cart is ready',
        },
      ],
      listeners: [{ ...listener, name: 'orders', address: 'orders' }],
      problems: [{ where: 'Service cart', message: 'It exists already; remove it, or choose another address.' }],
    });
    const contexts = [context('west', { found: { sites: [inCluster()], namespaces: ['shop'] } })];
    assert.deepEqual(drawn(siteRows(snapshot({ contexts, sites: [site, live(east, 'e', ['w'])] }))), [
      '● west  1 site',
      '  ⚠ shop  ready · 2 links · v0.1.0',
      '    ⚠ Service cart: It exists already; remove it, or choose another address.',
      '    ● east/shop  cost 1 · 0.4 ms',
      '    ⚠ 10.0.0.9:8443  cost 1 · connecting · connection refused',
      '    ⚠ offers  backend, cart',
      '      ● backend  tcp  8080  a, b and 1 more',
      '      ⚠ cart  tcp  8080  no pod of Deployment cart is ready',
      '    · takes  all: orders',
      '      ● orders  tcp  0.0.0.0:10000',
    ]);
  });

  test('tells in tooltips what a link goes through', () => {
    const links = [link({ endpoint: '203.0.113.7:8443', proxy: 'proxy.example:3128' })];
    const tooltip = siteRows(snapshot({ sites: [live(laptop, 'l', [], { links })] }))[0]?.children?.[0]?.tooltip;
    assert.ok(tooltip?.includes('\nDials 203.0.113.7:8443 through the proxy proxy.example:3128'), tooltip);
  });

  test('tells in tooltips where links come in, an IPv6 address in brackets', () => {
    const access = [{ host: 'fd00::1', port: 8443, way: 'direct' }];
    const tooltip = siteRows(snapshot({ sites: [live(laptop, 'l', [], { access })] }))[0]?.tooltip;
    assert.ok(tooltip?.includes('\nLinks come in at direct [fd00::1]:8443\n'), tooltip);
  });

  test('tells in tooltips until when certificates are good', () => {
    const certificateEnds = '2026-09-01T12:00:00Z';
    const { status, ...view } = live(laptop, 'l', [], { links: [link({ certificateEnds })] });
    const site = { ...view, status: { ...status!, site: { ...status!.site, certificateEnds } } };
    const row = siteRows(snapshot({ sites: [site] }))[0]!;
    const day = new Date(certificateEnds).toLocaleDateString();
    assert.ok(row.tooltip?.includes(`\nIts certificate is good until ${day}, and renewed before\n`), row.tooltip);
    const tooltip = row.children?.[0]?.tooltip;
    assert.ok(tooltip?.endsWith(`\nIts certificate is good until ${day}`), tooltip);
  });

  test('shows namespaces without a site when asked to', () => {
    const contexts = [
      context('west', { found: { sites: [inCluster()], namespaces: ['default', 'shop'], limited: 'You may see shop only.' } }),
    ];
    assert.deepEqual(drawn(siteRows(snapshot({ contexts, showAllNamespaces: true }))), [
      '● west  1 site', '  ⚠ You may see shop only.', '  ● shop  ready · v0.1.0', '  ○ default  no site here',
    ]); // prettier-ignore
  });

  test('shows a site that is not ready with the reason', () => {
    const site = inCluster({ ready: false, message: 'ImagePullBackOff: node:24-alpine' });
    const contexts = [context('west', { found: { sites: [site], namespaces: [] } })];
    assert.equal(drawn(siteRows(snapshot({ contexts })))[1], '  ⚠ shop  not ready · ImagePullBackOff: node:24-alpine');
  });

  test('shows what runs on this computer', () => {
    const sites = [
      live(demo('cloud'), 'c', []),
      live(laptop, 'l', []),
      { ref: demo('onprem'), state: 'lost', message: 'It ended.' } as SiteView,
    ];
    assert.deepEqual(drawn(siteRows(snapshot({ sites, demo: { state: 'on', url: 'http://localhost:1' } }))), [
      '● demo  embedded network · 2 sites', '  ● cloud  ready · no links · v0.1.0', '  ⚠ onprem  no connection', '    ⚠ It ended.', '● this laptop  ready · no links · v0.1.0',
    ]); // prettier-ignore
  });

  test('says what is wrong with a kubeconfig', () => {
    const path = '/home/ada/.kube/config';
    const messages = [`The kubeconfig ${path} is broken at line 3: no.`, `There is no kubeconfig ${path}.`, `${path}: No.`];
    const rows = siteRows(snapshot({ kubeconfigProblems: messages.map((message) => ({ path, message })) }));
    assert.deepEqual(drawn(rows), [
      '⚠ .kube/config  is broken at line 3: no.', '⚠ .kube/config  is not there', '⚠ /home/ada/.kube/config: No.',
    ]); // prettier-ignore
    assert.deepEqual(rows.map(({ tooltip }) => tooltip), messages); // prettier-ignore
  });

  test('has ids that are unique', () => {
    const sites = [
      live(west, 'w', ['l'], { links: [link({}), link({ direction: 'incoming' })] }),
      live(laptop, 'l', ['w'], { links: [link({})] }),
    ];
    const contexts = [context('west', { found: { sites: [inCluster()], namespaces: [] } })];
    const ids: string[] = [];
    const walk = (rows: Row[]) => rows.forEach((row) => (ids.push(row.id), walk(row.children ?? [])));
    walk(siteRows(snapshot({ contexts, sites })));
    assert.equal(new Set(ids).size, ids.length);
  });
});

describe('Services', () => {
  const listener = {
    name: 'b',
    address: 'backend',
    type: 'tcp',
    host: '127.0.0.1',
    servicePort: 8080,
    source: 'auto',
    connections: 0,
  } as const;
  const offers = [
    service('backend', destination('w', 'a'), destination('w', 'b'), destination('e', 'c')),
    { ...service('search'), lastOffered: '2026-01-01T11:42:00Z' },
  ];

  test('are those of every site, once, with where they are offered and their local port', () => {
    const sites = [
      live(west, 'w', ['e', 'l'], { services: offers }),
      live(east, 'e', ['w', 'l'], { services: offers }),
      live(laptop, 'l', ['w', 'e'], { services: offers, listeners: [{ ...listener, port: 8080, state: 'open' }] }),
    ];
    assert.deepEqual(services({ sites }), [
      '● backend  tcp  8080  west/shop ×2, east/shop  → localhost:8080',
      '⚠ search  tcp  8080  offered nowhere, last 18 minutes ago',
    ]);
  });

  test('show who stands in for them, and what this laptop may do about it', () => {
    const by = { site: 'ada', siteId: 'l', target: '127.0.0.1:3000', how: 'take-some', header: 'baggage: caravan=ada' } as const;
    const grace = { site: 'grace', siteId: 'g', target: '127.0.0.1:1', how: 'take-over' } as const;
    const cart = { ...service('cart', destination('w', 'a')), intercepts: [by] };
    const orders = { ...service('orders', destination('w', 'b')), intercepts: [grace] };
    const sites = [live(laptop, 'l', ['w'], { services: [cart, orders] })];
    const rows = serviceRows(snapshot({ sites }), networksOf(sites));
    assert.deepEqual(
      rows.map(({ description, icon, flags }) => [description, icon[0], flags]),
      [
        ['tcp  8080  this laptop takes some (baggage: caravan=ada), shop', 'color-mode', 'service.intercepted'],
        ['tcp  8080  grace takes over, shop', 'color-mode', 'service.interceptable'],
      ],
    );
  });

  test('say what is wrong: a conflict, a port in use', () => {
    const failed = { ...listener, port: 8080, state: 'failed', message: 'Port 8080 is in use by another program.' } as const;
    const warned = { ...service('cart', destination('w', 'a')), warning: 'west says tcp, east says udp.' };
    const sites = [live(laptop, 'l', ['w'], { services: [offers[0]!, warned], listeners: [failed] })];
    const rows = serviceRows(snapshot({ sites }), networksOf(sites));
    assert.deepEqual(drawn(rows), ['⚠ backend  tcp  8080  shop ×3', '⚠ cart  tcp  8080  shop']);
    assert.match(rows[0]!.tooltip!, /Port 8080 is in use by another program\./);
    assert.match(rows[1]!.tooltip!, /west says tcp, east says udp\./);
    assert.deepEqual(problemsOf(snapshot({ sites })), ['backend on port 8080: Port 8080 is in use by another program.']);
  });

  test('of several networks stand under their network', () => {
    const sites = [
      live(west, 'w', [], { services: offers.slice(0, 1) }),
      live(demo('cloud'), 'c', [], { services: [service('orders', destination('c', 'x'))] }),
    ];
    assert.deepEqual(services({ sites }), [
      '· demo  1 site · 1 service', '  ● orders  tcp  8080  cloud', '· shop  1 site · 1 service', '  ● backend  tcp  8080  west/shop ×2, shop',
    ]); // prettier-ignore
  });

  test('of a site whose connection is lost are not shown as if they were there', () => {
    assert.deepEqual(services({ sites: [{ ...live(west, 'w', []), state: 'lost' }] }), []);
  });
});

test('the status bar tells the network in one line', () => {
  const sites = [live(west, 'w', ['e'], { services: [service('a', destination('w', 'x'))] })];
  assert.equal(statusBarText(networksOf(sites), [])?.text, '$(globe) shop · 2 sites · 1 service');
  assert.equal(statusBarText(networksOf(sites), ['x'])?.text, '$(globe) shop · 2 sites · 1 service · $(warning) 1 problem');
  const connector: ConnectorStatus = {
    name: 'a',
    address: 'a',
    type: 'tcp',
    distribution: 'balanced',
    port: 1,
    targets: [],
    state: 'ready',
    source: 'command',
    connections: 0,
  };
  const exposing = [live(laptop, 'l', ['w'], { connectors: [connector] })];
  assert.match(statusBarText(networksOf(exposing), [])!.text, / · 1 port exposed$/);
  assert.equal(statusBarText([], []), undefined);
});
