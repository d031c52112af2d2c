import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccessStatus, LinkStatus } from '../../runtime/api/types.ts';
import { type LinkEnd, planLink } from './link-plan.ts';
import type { SiteRef } from './site-ref.ts';

const west: SiteRef = { where: 'cluster', context: 'west', namespace: 'shop' };
const east: SiteRef = { where: 'cluster', context: 'east', namespace: 'shop' };
const laptop: SiteRef = { where: 'local', name: 'laptop', socket: '/s' };
const host: SiteRef = { where: 'local', name: 'host', socket: '/h' };
const loadBalancer: AccessStatus = { host: '203.0.113.7', port: 8443, way: 'LoadBalancer' };
const nodePort: AccessStatus = { host: '10.0.0.4', port: 30443, way: 'NodePort' };
const tunnel: AccessStatus = { host: 'shop.example.com', port: 443, way: 'tunnel', tunnel: 'https://shop.example.com/caravan' };
const direct: AccessStatus = { host: '127.0.0.1', port: 41234, way: 'direct' };

const end = (ref: SiteRef, id: string, ...access: AccessStatus[]): LinkEnd => ({ ref, id, access, links: [] });
const linked = (to: LinkEnd, peerId: string, state: LinkStatus['state']): LinkEnd => {
  const link: LinkStatus = { id: 'l', site: 's', peerId, cost: 1, state, direction: 'outgoing', since: '2026-01-01T00:00:00Z' };
  return { ...to, links: [link] };
};

describe('linking two sites', () => {
  const cases: [string, LinkEnd, LinkEnd, string][] = [
    [
      'the one with a way in is dialled',
      end(west, 'w', loadBalancer),
      end(east, 'e'),
      'east/shop reaches west/shop at 203.0.113.7:8443 through its LoadBalancer.',
    ],
    [
      'the other way round too',
      end(west, 'w'),
      end(east, 'e', loadBalancer),
      'west/shop reaches east/shop at 203.0.113.7:8443 through its LoadBalancer.',
    ],
    [
      'a LoadBalancer is better than a NodePort',
      end(west, 'w', nodePort),
      end(east, 'e', loadBalancer),
      'west/shop reaches east/shop at 203.0.113.7:8443 through its LoadBalancer.',
    ],
    [
      'the best way of one site is taken',
      end(west, 'w', nodePort, loadBalancer),
      end(east, 'e'),
      'east/shop reaches west/shop at 203.0.113.7:8443 through its LoadBalancer.',
    ],
    [
      'a NodePort will do',
      end(west, 'w'),
      end(east, 'e', nodePort),
      'west/shop reaches east/shop at 10.0.0.4:30443 through a NodePort.',
    ],
    [
      'the laptop goes through the API server',
      end(west, 'w'),
      end(laptop, 'l'),
      'this laptop reaches west/shop through the API server of west.',
    ],
    [
      'a cluster never dials this computer',
      end(host, 'h', direct),
      end(west, 'w', nodePort),
      'host reaches west/shop at 10.0.0.4:30443 through a NodePort.',
    ],
    ['two sites of this computer', end(host, 'h', direct), end(laptop, 'l'), 'this laptop reaches host at 127.0.0.1:41234.'],
    [
      'an IPv6 address is bracketed',
      end(west, 'w', { ...loadBalancer, host: '2001:db8::7' }),
      end(east, 'e'),
      'east/shop reaches west/shop at [2001:db8::7]:8443 through its LoadBalancer.',
    ],
    [
      'a tunnel is told by its URL, and is better than a NodePort',
      end(west, 'w', nodePort, tunnel),
      end(east, 'e'),
      'east/shop reaches west/shop at https://shop.example.com/caravan.',
    ],
    [
      'no way in',
      end(west, 'w'),
      end(east, 'e'),
      'Neither west/shop nor east/shop can be reached by the other: one of them needs a way in.',
    ],
    [
      'a host without a way to a cluster',
      end(host, 'h', direct),
      end(east, 'e'),
      'Neither host nor east/shop can be reached by the other: one of them needs a way in.',
    ],
    [
      'linked already',
      linked(end(west, 'w', loadBalancer), 'e', 'up'),
      end(east, 'e'),
      'west/shop and east/shop are linked already.',
    ],
    [
      'a link that is down does not count',
      linked(end(west, 'w', loadBalancer), 'e', 'failed'),
      end(east, 'e'),
      'east/shop reaches west/shop at 203.0.113.7:8443 through its LoadBalancer.',
    ],
    ['one site twice', end(west, 'w'), end(west, 'w'), 'west/shop is one site: choose another one for the second end.'],
  ];
  for (const [name, first, second, sentence] of cases) test(name, () => assert.equal(planLink(first, second).sentence, sentence));

  test('the laptop redeems, with the port-forward', () => {
    const plan = planLink(end(laptop, 'l'), end(west, 'w'));
    assert.ok(plan.outcome === 'link');
    assert.deepEqual([plan.issuer.ref, plan.redeemer.ref, plan.portForward], [west, laptop, west]);
  });

  test('without a way in, the ends in clusters can be given one', () => {
    const plan = planLink(end(host, 'h', direct), end(east, 'e'));
    assert.ok(plan.outcome === 'no-way-in');
    assert.deepEqual(plan.ends, [east]);
  });
});
