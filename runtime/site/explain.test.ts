import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LinkStatus, ServiceStatus, Status } from '../api/types.ts';
import { explain } from './explain.ts';

const LINK: LinkStatus = {
  id: 'west',
  site: 'east',
  peer: 'west',
  cost: 1,
  state: 'up',
  direction: 'outgoing',
  since: '2026-01-01T00:00:00Z',
};
const ORDERS: ServiceStatus = {
  address: 'orders',
  type: 'tcp',
  distribution: 'balanced',
  ports: [5432],
  destinations: [{ site: 'west', siteId: 'w', router: 'w', target: 'orders-0', port: 5432 }],
};

function status(part: Partial<Status>): Status {
  return {
    site: { id: 'e', name: 'east', version: '1', platform: 'host' },
    router: { id: 'e', startTime: '2026-01-01T00:00:00Z', pid: 1 },
    sites: [{ id: 'w', name: 'west', version: '1', platform: 'host', routers: ['w'], reachable: true, neighbors: [] }],
    links: [LINK],
    services: [ORDERS],
    listeners: [],
    connectors: [],
    access: [],
    problems: [],
    ...part,
  };
}

describe('why an address can or cannot be reached', () => {
  it('is reached over the link to the site that offers it', () => {
    const { summary, steps } = explain(status({}), 'orders');
    assert.equal(summary, 'orders can be reached from east.');
    assert.deepEqual(
      steps.map(({ title }) => title),
      ['orders is offered', 'west is linked directly', 'nothing listens for it here'],
    );
  });

  it('is reached, and somebody stands in for its servers', () => {
    const by = { how: 'take-some', site: 'ada', siteId: 'a', target: '127.0.0.1:3000', header: 'baggage: caravan=ada' } as const;
    const { summary, steps } = explain(status({ services: [{ ...ORDERS, intercepts: [by] }] }), 'orders');
    assert.equal(summary, 'orders can be reached from east.');
    assert.deepEqual(steps[1], {
      ok: true,
      title: 'ada takes some (baggage: caravan=ada)',
      detail: 'it gets requests with this field, at 127.0.0.1:3000, for as long as it is linked',
    });
  });

  it('is not known at all', () => {
    const { summary } = explain(status({}), 'ordres');
    assert.equal(summary, 'ordres cannot be reached: nothing in the network offers ordres; expose it, or check the name');
  });

  it('is out of reach because its site’s link is down: the link says why', () => {
    const links: LinkStatus[] = [{ ...LINK, state: 'connecting', message: 'the site refuses this link: it was revoked there' }];
    const { summary } = explain(status({ links, services: [{ ...ORDERS, destinations: [] }] }), 'orders');
    assert.equal(summary, 'orders cannot be reached: the site refuses this link: it was revoked there');
  });

  it('is exposed, but no server is ready', () => {
    const { summary } = explain(status({ services: [{ ...ORDERS, destinations: [], pending: ['west'] }] }), 'orders');
    assert.equal(summary, 'orders cannot be reached: west exposes it, but no server there is ready');
  });
});
