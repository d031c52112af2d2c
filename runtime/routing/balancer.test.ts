import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Balancer, type Candidate } from './balancer.ts';

/** Opens `count` connections that stay open, and says how many each destination has. */
function hold(count: number, candidates: Candidate[], balancer = new Balancer()): Record<string, number> {
  for (let opened = 0; opened < count; opened++) {
    const choice = balancer.choose('backend', 'balanced', candidates)!;
    balancer.started('backend', choice.key);
  }
  return Object.fromEntries(candidates.map(({ key }) => [key, balancer.outstanding('backend', key)]));
}

describe('balanced', () => {
  for (const count of [28, 94, 500])
    it(`gives ${count} held connections equally to equal destinations`, () => {
      const held = hold(count, [at('a', 1), at('b', 1), at('c', 1)]);
      const shares = Object.values(held);
      assert.ok(Math.max(...shares) - Math.min(...shares) <= 1, JSON.stringify(held));
    });

  it('gives a site with more servers proportionally more', () => {
    assert.deepEqual(hold(50, [at('west', 1, 3), at('east', 1, 2)]), { west: 30, east: 20 });
  });

  it('keeps as many more on the nearer side as the cost says, however many there are', () => {
    for (const count of [100, 1000, 10_000]) {
      const held = hold(count, [at('here', 0), at('there', 50)]);
      assert.ok(Math.abs(held['here']! - held['there']! - 50) <= 1, `${count}: ${JSON.stringify(held)}`);
    }
  });

  it('takes turns among destinations that have nothing to do', () => {
    const balancer = new Balancer();
    const candidates = [at('a', 1), at('b', 1), at('c', 1)];
    const chosen = Array.from({ length: 6 }, () => {
      const { key } = balancer.choose('backend', 'balanced', candidates)!;
      balancer.started('backend', key);
      balancer.ended('backend', key);
      return key;
    });
    assert.deepEqual(chosen, ['a', 'b', 'c', 'a', 'b', 'c']);
  });

  it('counts what ended', () => {
    const balancer = new Balancer();
    hold(10, [at('a', 1), at('b', 1)], balancer);
    for (let ended = 0; ended < 5; ended++) balancer.ended('backend', 'a');
    assert.deepEqual(hold(5, [at('a', 1), at('b', 1)], balancer), { a: 5, b: 5 });
  });
});

describe('closest', () => {
  it('stays with the least cost whatever is outstanding, and takes turns among equals', () => {
    const balancer = new Balancer();
    const candidates = [at('far', 9), at('near', 2), at('nearby', 2)];
    const chosen = Array.from({ length: 4 }, () => {
      const { key } = balancer.choose('backend', 'closest', candidates)!;
      balancer.started('backend', key);
      return key;
    });
    assert.deepEqual(chosen, ['near', 'nearby', 'near', 'nearby']);
  });
});

describe('destinations that come and go', () => {
  for (const count of [2, 500])
    it(`are forgotten once they have nothing to do, and ${count} that stay take turns all the same`, () => {
      const balancer = new Balancer();
      const stay = Array.from({ length: count }, (_, index) => at(`stays ${index}`, 1));
      balancer.started('backend', 'busy');
      const turns = new Map<string, number>();
      for (let turn = 0; turn < 20_000; turn++) {
        const goes = at(`goes ${turn}`, 1);
        balancer.started('backend', goes.key);
        balancer.ended('backend', goes.key);
        const { key } = balancer.choose('backend', 'balanced', stay)!;
        turns.set(key, (turns.get(key) ?? 0) + 1);
        balancer.started('backend', key);
        balancer.ended('backend', key);
      }
      assert.ok(balancer.known('backend') <= 100 + 5 * count, `${balancer.known('backend')} are remembered`);
      assert.equal(balancer.outstanding('backend', 'busy'), 1);
      assert.equal(turns.size, count);
      assert.ok(Math.max(...turns.values()) - Math.min(...turns.values()) <= 1);
    });

  it('are forgotten at once where it is known that they do not come back', () => {
    const balancer = new Balancer();
    balancer.started('backend', 'a');
    balancer.drop('backend', 'a');
    balancer.ended('backend', 'a');
    assert.equal(balancer.known('backend'), 0);
  });
});

function at(key: string, cost: number, targets = 1): Candidate {
  return { key, cost, targets };
}
