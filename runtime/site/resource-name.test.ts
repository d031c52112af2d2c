import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_MADE_NAME_LENGTH } from '../api/vocabulary.ts';
import { asName, resourceName } from './resource-name.ts';
import { API_VERSION, parseResources } from './resources.ts';

test('an address that can be a name is one, with its port', () => {
  assert.equal(resourceName('orders', 5432), 'orders-5432');
  assert.equal(resourceName('orders.shop', 80), 'orders.shop-80');
});

test('different addresses have different names, all of them valid', () => {
  const long = 'x'.repeat(252);
  const addresses = [
    'orders-db',
    'orders/db',
    'orders:db',
    'Orders-db',
    'orders.-db',
    '_',
    '__',
    '@',
    `${long}a`,
    `${long}b`,
    'a.',
    '-',
  ];
  const names = addresses.map((address) => resourceName(address, 65_535));
  assert.equal(new Set(names).size, names.length, names.join('\n'));
  for (const name of names) {
    const yaml = `apiVersion: ${API_VERSION}\nkind: Site\nmetadata: {name: "${name}"}\n`;
    assert.deepEqual(parseResources(yaml, name).problems, []);
    assert.ok(name.length <= MAX_MADE_NAME_LENGTH, name);
    assert.doesNotMatch(name, /[-.]\.|\.[-.]/, 'no Secret could be called so');
  }
});

test('whatever a site is called, a link can be named after it, or after nothing', () => {
  assert.equal(asName('West Side'), 'west-side');
  assert.equal(asName('-.-'), '');
  assert.equal(asName('a.-.b'), 'a.b');
  assert.equal(asName('x'.repeat(300)).length, MAX_MADE_NAME_LENGTH);
});
