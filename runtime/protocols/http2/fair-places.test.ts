import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import type { Server } from '../listener.ts';
import { FairPlaces } from './fair-places.ts';

const SERVER = { target: 'pod-1' } as Server;
const [ANN, BOB, CEE] = ['Ann', 'Bob', 'Cee'] as const;

let places: FairPlaces;
/** Who was granted a place, in order, and what others were told. */
let granted: string[];
let refused: string[];

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  places = new FairPlaces({ places: 4, waiting: 3, waitMs: 5000 });
  granted = [];
  refused = [];
});
afterEach(() => mock.timers.reset());

function claim(client: string): () => void {
  return places.claim(SERVER, client, {
    granted: () => void granted.push(client),
    refused: ({ message }) => void refused.push(`${client}: ${message}`),
  });
}

describe('places for requests', () => {
  it('are half of them for one client, and there is always one left for another', () => {
    for (let at = 0; at < 4; at++) claim(ANN);
    assert.deepEqual(granted, ['Ann', 'Ann']);
    claim(BOB);
    assert.deepEqual(granted, ['Ann', 'Ann', 'Bob']);
    claim(CEE);
    assert.deepEqual(granted, ['Ann', 'Ann', 'Bob', 'Cee']);
  });

  it('are one for a client where there is no other', () => {
    places = new FairPlaces({ places: 1, waiting: 3, waitMs: 5000 });
    const first = claim(ANN);
    claim(ANN);
    assert.deepEqual(granted, ['Ann']);
    first();
    assert.deepEqual(granted, ['Ann', 'Ann']);
  });

  it('go to whoever has the fewest, not to whoever waited first', () => {
    const held = [claim(ANN), claim(ANN), claim(BOB), claim(CEE)];
    claim(ANN);
    claim(BOB);
    held[3]!();
    // Bob would have as many as are left: none goes to him before there is one more.
    assert.deepEqual(granted.slice(4), []);
    held[2]!();
    assert.deepEqual(granted.slice(4), ['Bob']);
  });

  it('go in turns to those who have as many', () => {
    places = new FairPlaces({ places: 1, waiting: 10, waitMs: 5000 });
    const turns = [claim(ANN), claim(ANN), claim(ANN), claim(BOB), claim(BOB)];
    for (const turn of [0, 1, 3, 2, 4]) turns[turn]!();
    assert.deepEqual(granted, ['Ann', 'Ann', 'Bob', 'Ann', 'Bob']);
    assert.equal(places.isEmpty, true);
  });

  it('are free again once, however often that is said', () => {
    const [first, second] = [claim(ANN), claim(ANN)];
    first();
    first();
    claim(ANN);
    claim(ANN);
    assert.equal(granted.length, 3);
    second();
    assert.equal(granted.length, 4);
  });

  it('are waited for by so many, and so long', () => {
    claim(ANN);
    claim(ANN);
    for (let at = 0; at < 3; at++) claim(ANN);
    assert.throws(() => claim(ANN), { code: 'refused', message: 'pod-1 is busy: 3 requests wait for it already' });
    // Whoever need not wait is not turned away for those that do.
    claim(BOB);
    assert.equal(granted.at(-1), 'Bob');
    mock.timers.tick(4999);
    assert.deepEqual(refused, []);
    mock.timers.tick(1);
    assert.deepEqual(
      refused,
      Array.from({ length: 3 }, () => 'Ann: pod-1 is busy: it had no room for a further request within 5 s'),
    );
  });

  it('are not all waited for by one client: where too many wait, the client with most of them loses its last', () => {
    places = new FairPlaces({ places: 1, waiting: 3, waitMs: 5000 });
    const held = claim(CEE);
    for (let at = 0; at < 3; at++) claim(ANN);
    claim(BOB);
    assert.deepEqual(refused, ['Ann: pod-1 is busy: 3 requests wait for it already']);
    // Whoever would have as many then stays outside.
    assert.throws(() => claim(BOB), { code: 'refused' });
    held();
    assert.deepEqual(granted, ['Cee', 'Ann']);
  });

  it('are not waited for any more by whoever has given up', () => {
    claim(ANN);
    claim(ANN);
    const waits = [claim(ANN), claim(ANN), claim(ANN)];
    waits[0]!();
    claim(ANN);
    for (const each of waits) each();
    mock.timers.tick(5000);
    assert.equal(refused.length, 1);
  });
});
