import assert from 'node:assert/strict';
import { it } from 'node:test';
import { until } from '../../test/support/until.ts';
import { encodeRouting } from './link.ts';
import { eachCarried } from './carried.ts';
import { linkPair } from './link-pair.testkit.ts';
import { noHandler } from './raw-stream.ts';

it('links count what they carry for others, in and out, and not their own words', async (t) => {
  const pair = await linkPair();
  t.after(() => pair.stop());
  const { near, farEvents } = pair;
  let steps = 0;
  const unfollow = eachCarried(10_000, () => steps++);
  t.after(unfollow);
  let arrived = 0;
  farEvents.onOpen = (stream) => {
    stream.handler = { ...noHandler, data: (payload) => (arrived += payload.length) };
    stream.sendOpened(1_000_000, {});
  };
  const stream = near.openStream();
  stream.sendOpen(1_000_000, {});

  // Both ends are here: each byte is sent once and received once.
  for (let at = 0; at < 40; at++) stream.sendData(Buffer.alloc(1000));
  await until('all of it', () => arrived === 40_000);
  assert.equal(steps, 8);

  near.sendRouting(encodeRouting({ kind: 'offers-request', origins: Array.from({ length: 5000 }, (_, at) => `router-${at}`) }));
  await until('a routing message', () => farEvents.messages.length === 1);
  assert.equal(steps, 8);

  unfollow();
  stream.sendData(Buffer.alloc(60_000));
  await until('the rest', () => arrived === 100_000);
  assert.equal(steps, 8);
});
