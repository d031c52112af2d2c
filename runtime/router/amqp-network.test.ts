import assert from 'node:assert/strict';
import { it } from 'node:test';
import { silentLog } from '../log.ts';
import type { KnownOffer } from '../routing/engine.ts';
import type { RouterInfo } from '../routing/types.ts';
import { AmqpNetwork } from './amqp-network.ts';
import { Router } from './router.ts';

it('a router with receivers is one destination of messages, though it is known in two places after a change of its uplink', (t) => {
  const info = (id: string): RouterInfo => ({ id, site: { id, name: id }, version: '1', platform: 'host' });
  const router = new Router(info('here'), silentLog, () => {});
  t.after(() => router.close());
  const at = (place: KnownOffer['place'], cost: number | undefined, targets: string[]): KnownOffer => {
    const ports = [{ port: 0, targets }];
    const offer = { address: 'mc/news', type: 'amqp', distribution: 'multicast', ports } as const;
    return { offer: { ...offer, ports }, place, router: info(place.edge ?? place.router), cost };
  };
  router.engine.offersOf = () => [
    at({ router: 'here' }, 0, ['receiver 1']),
    at({ router: 'a', edge: 'laptop' }, 3, ['receiver 1']),
    at({ router: 'b', edge: 'laptop' }, 2, ['receiver 1', 'receiver 2']),
    at({ router: 'c', edge: 'laptop' }, 1, []),
    at({ router: 'd' }, undefined, ['receiver 1']),
  ];
  const network = new AmqpNetwork(router, () => {});
  assert.deepEqual(network.destinations('mc/news'), [{ router: 'b+laptop', site: 'laptop', cost: 2, receivers: 2 }]);
});
