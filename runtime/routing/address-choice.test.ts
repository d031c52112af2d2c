import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AddressTurns } from './address-choice.ts';

const everywhere = () => true;

describe('priority among addresses', () => {
  const choice = { strategy: 'priority', addresses: ['first', 'second', 'third'] } as const;

  it('sends every client to the first that is offered, and knows the next', () => {
    const turns = new AddressTurns({ ...choice, addresses: [...choice.addresses] });
    assert.deepEqual(turns.next(everywhere), ['first', 'second', 'third']);
    assert.deepEqual(
      turns.next((address) => address !== 'first'),
      ['second', 'third'],
    );
    assert.deepEqual(
      turns.next(() => false),
      [],
    );
  });
});

describe('weights of addresses', () => {
  const choice = { strategy: 'weighted', weights: { big: 5, small: 1, other: 2 } } as const;

  it('are kept exactly, and spread evenly', () => {
    const turns = new AddressTurns(choice);
    const chosen = Array.from({ length: 16 }, () => turns.next(everywhere)[0]);
    assert.deepEqual(count(chosen), { big: 10, small: 2, other: 4 });
    const longest = chosen
      .join(' ')
      .split(/small|other/)
      .map((run) => run.trim().split(' ').length);
    assert.ok(Math.max(...longest) <= 3, `turns come in a lump: ${chosen.join(' ')}`);
  });

  it('count among those that are offered', () => {
    const turns = new AddressTurns(choice);
    const chosen = Array.from({ length: 9 }, () => turns.next((address) => address !== 'big')[0]);
    assert.deepEqual(count(chosen), { other: 6, small: 3 });
  });

  it('name the others, too, for when the chosen one refuses', () => {
    assert.deepEqual(new AddressTurns(choice).next(everywhere).sort(), ['big', 'other', 'small']);
  });
});

function count(names: (string | undefined)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name!] = (counts[name!] ?? 0) + 1;
  return counts;
}
