import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createEngine } from '../routing/engine.ts';
import type { Offer } from '../routing/types.ts';
import { RoutedNames } from './network-names.ts';

const offer = (address: string, ...ports: number[]): Offer => ({
  address,
  type: 'tcp',
  distribution: 'balanced',
  ports: ports.map((port) => ({ port, targets: ['a'] })),
});

describe("the network's names", () => {
  const self = { id: 'a', site: { id: 'a', name: 'a' }, version: '1', platform: 'kubernetes', namespace: 'shop' } as const;
  const engine = createEngine(self, 1);
  const names = new RoutedNames(engine);

  test('are those of its services, in whatever case they were given', () => {
    engine.setOffers([offer('backend', 8080), offer('Orders', 5432, 80), offer('orders-2', 1)]);
    names.forget();
    assert.deepEqual(names.service('backend'), { address: 'backend', type: 'tcp', ports: [8080] });
    assert.deepEqual(names.service('orders'), { address: 'Orders', type: 'tcp', ports: [80, 5432] });
    assert.equal(names.service('frontend'), undefined);
  });

  test('that differ in case alone mean the first', () => {
    engine.setOffers([offer('web', 1), offer('Web', 2), offer('WEB', 3)]);
    names.forget();
    assert.equal(names.service('web')?.address, 'WEB');
  });

  test('change with the network', () => {
    engine.setOffers([]);
    assert.equal(names.service('web'), undefined, 'even before it was told');
    names.forget();
    assert.equal(names.service('web'), undefined);
  });

  test('have the namespaces of its sites', () => {
    assert.equal(names.hasNamespace('shop'), true);
    assert.equal(names.hasNamespace('elsewhere'), false);
  });
});
