import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Intercept } from './intercept.ts';
import { hears, type RequestRule, type RequestTraits, takersOf } from './request-rule.ts';

const SERVERS: { name: string; rule?: RequestRule }[] = [
  { name: 'any' },
  { name: 'any too' },
  { name: 'v2', rule: { path: '/v2' } },
  { name: 'v2 orders', rule: { path: '/v2/orders' } },
  { name: 'ada', rule: { header: { name: 'baggage', value: 'caravan=ada' } } },
  { name: 'ada v2', rule: { path: '/v2', header: { name: 'baggage', value: 'caravan=ada' } } },
];

function request(path: string, baggage?: string): RequestTraits {
  return { path, header: (name) => (name === 'baggage' ? baggage : undefined) };
}

function takers(of: RequestTraits | undefined, among = SERVERS): string[] {
  return takersOf(among, of).map(({ name }) => name);
}

describe('a request goes to', () => {
  for (const [what, of, names] of [
    ['servers without a rule, where it satisfies none', request('/'), ['any', 'any too']],
    ['servers whose path it has', request('/v2'), ['v2']],
    ['servers whose path it has more of', request('/v2/orders/7'), ['v2 orders']],
    ['no server of a path that is only spelt alike', request('/v20'), ['any', 'any too']],
    ['servers whose field it has', request('/', 'caravan=ada'), ['ada']],
    ['servers whose field it has in a list', request('/', 'a=b, caravan=ada'), ['ada']],
    ['no server of a field with another value', request('/', 'caravan=adam'), ['any', 'any too']],
    ['servers of both before those of one', request('/v2', 'caravan=ada'), ['ada v2']],
    ['servers without a rule, where nothing is known of it', undefined, ['any', 'any too']],
  ] as const)
    it(what, () => assert.deepEqual(takers(of), names));

  it('the others when the servers that it was for are gone', () => {
    assert.deepEqual(takers(request('/v2'), SERVERS.slice(0, 2)), ['any', 'any too']);
  });

  it('nobody, where all have rules and it satisfies none', () => {
    assert.deepEqual(takers(request('/'), SERVERS.slice(2)), []);
  });
});

describe('where somebody stands in for the servers', () => {
  const ada = { header: { name: 'baggage', value: 'caravan=ada' } };
  const all: { name: string; rule?: RequestRule; intercept?: Intercept }[] = [
    ...SERVERS,
    { name: 'taker of all', intercept: 'take-over' },
    { name: 'taker of some', rule: ada, intercept: 'take-some' },
    { name: 'listener', intercept: 'listen-in' },
    { name: 'what a later version means', intercept: 'take-turns' as Intercept },
  ];
  const takersWithout = (left: string, of: RequestTraits) =>
    takersOf(
      all.filter(({ name }) => name !== left),
      of,
    ).map(({ name }) => name);

  it('who takes some comes first, then who takes all, whatever the path', () => {
    assert.deepEqual(takersWithout('', request('/v2', 'caravan=ada')), ['taker of some']);
    assert.deepEqual(takersWithout('', request('/v2', 'caravan=grace')), ['taker of all']);
    assert.deepEqual(takersOf(all, undefined).map(({ name }) => name), ['taker of all']); // prettier-ignore
  });

  it('the servers get what is left, and who listens in nothing', () => {
    assert.deepEqual(takersWithout('taker of all', request('/')), ['any', 'any too']);
    assert.deepEqual(takersOf(all.slice(-2), request('/')), []);
  });

  it('who listens in hears what its rule is for', () => {
    assert.equal(hears({}, request('/')), true);
    assert.equal(hears({ rule: ada }, request('/')), false);
    assert.equal(hears({ rule: ada }, request('/', 'caravan=ada')), true);
  });
});
