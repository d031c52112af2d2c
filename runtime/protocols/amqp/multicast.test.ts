import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { until } from '../../../test/support/until.ts';
import { Hubs } from './clients.testkit.ts';
import { SUBSCRIBER_QUEUE_MESSAGES } from './limits.ts';

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('messages to every receiver', () => {
  let hubs: Hubs;
  afterEach(() => hubs.stop());

  it('reach each once, in their order, also several at one router', async () => {
    hubs = await Hubs.start('a', 'b', 'c');
    const receivers = [];
    for (const place of ['a', 'a', 'b', 'b', 'c']) receivers.push(await (await hubs.client(place)).receiver('mc/news'));
    await hubs.known('b', 'mc/news', 2);
    const sender = await (await hubs.client('b')).sender('mc/news');
    for (const i of range(500)) await sender.send({ body: i });
    for (const receiver of receivers) await receiver.count(500);
    for (const { bodies } of receivers) assert.deepEqual(bodies, range(500));
    assert.equal(hubs.network.opened.multicast, 1, 'one stream for all of them');
  });

  it('are accepted when they were handed over', async () => {
    hubs = await Hubs.start('a', 'b');
    const receiver = await (await hubs.client('b')).receiver('mc/news');
    const sender = await (await hubs.client('a')).sender('mc/news');
    assert.equal(await sender.sendAndHear({ body: 1 }), 'accepted');
    await receiver.count(1);
  });

  it('get no credit while nobody receives', async () => {
    hubs = await Hubs.start('a', 'b');
    const sender = await (await hubs.client('a')).sender('mc/news');
    assert.equal(sender.link.sendable(), false);
    const client = await hubs.client('b');
    await client.receiver('mc/news');
    await sender.credit();
    await client.close();
    await until('no credit', () => !sender.link.sendable());
  });

  it('reach those who come later, in the same order as everybody', async () => {
    hubs = await Hubs.start('a', 'b', 'c');
    const first = await (await hubs.client('b')).receiver('mc/news');
    const sender = await (await hubs.client('a')).sender('mc/news');
    let sent = 0;
    const send = async (count: number) => {
      for (let i = 0; i < count; i++) await sender.send({ body: sent++ });
    };
    await send(100);
    const late = await (await hubs.client('c')).receiver('mc/news');
    await hubs.known('a', 'mc/news', 2);
    while (late.received.length === 0) {
      await send(1);
      await until('its copy', () => first.received.length === sent);
    }
    await send(100);
    await first.count(sent);
    assert.deepEqual(first.bodies, range(sent));
    const missed = late.bodies[0] as number;
    await late.count(sent - missed);
    assert.deepEqual(late.bodies, range(sent).slice(missed));
  });

  for (const [what, change] of [
    ['a router is lost', () => hubs.network.cut('c')],
    ['another router joins', async () => void (await (await hubs.client('d')).receiver('mc/news'))],
  ] as const)
    it(`reach the others, each once and in order, when ${what} while many are on their way`, async () => {
      hubs = await Hubs.start('a', 'b', 'c', 'd');
      // It takes none for now: hub and streams are full when it happens.
      const receiver = await (await hubs.client('b')).receiver('mc/news', { credit_window: 0 });
      await (await hubs.client('c')).receiver('mc/news');
      await hubs.known('a', 'mc/news', 2);
      const sender = await (await hubs.client('a')).sender('mc/news');
      const body = (i: number) => `${i} ${'x'.repeat(15_000)}`;
      const count = 1000;
      const accepted = await Promise.all(
        range(count).map(async (i) => {
          const delivery = await sender.send({ body: body(i) });
          return () => delivery.remote_settled;
        }),
      );
      const taken = () => accepted.filter((isAccepted) => isAccepted()).length;
      let before = -1;
      await until('senders that wait', () => {
        const isSame = taken() === before && before > 0;
        before = taken();
        return isSame;
      });
      assert.ok(before < count, 'some are still with their sender');
      const { opened } = hubs.network;
      const streams = opened.multicast;
      await change();
      await until('a new stream', () => opened.multicast > streams);
      receiver.link.add_credit(2 * count);
      await until('the last one', () => receiver.bodies.at(-1) === body(count - 1));
      assert.deepEqual(
        receiver.bodies.map((each) => Number(String(each).split(' ')[0])),
        range(count),
      );
    });

  it('wait for a slow receiver, and go on without one that takes nothing', async () => {
    hubs = await Hubs.start();
    await hubs.add('a', 1, { subscriberPatienceMs: 1 });
    const slow = await (await hubs.client('a')).receiver('mc/news', { credit_window: 0 });
    const quick = await (await hubs.client('a')).receiver('mc/news');
    const sender = await (await hubs.client('a')).sender('mc/news');
    const count = 2 * SUBSCRIBER_QUEUE_MESSAGES;
    for (const i of range(count)) await sender.send({ body: i });
    await quick.count(count);
    assert.deepEqual(quick.bodies, range(count));
    // What was in its queue is there when it takes messages again; what came meanwhile is not.
    slow.link.add_credit(2 * count);
    await slow.count(SUBSCRIBER_QUEUE_MESSAGES);
    assert.equal(await sender.sendAndHear({ body: 'next' }), 'accepted');
    await until('the next one', () => slow.bodies.at(-1) === 'next');
    assert.deepEqual(slow.bodies, [...range(SUBSCRIBER_QUEUE_MESSAGES), 'next']);
  });

  it('are no faster than a receiver that does take them', async () => {
    hubs = await Hubs.start('a', 'b');
    const slow = await (await hubs.client('b')).receiver('mc/news', { credit_window: 1 });
    const quick = await (await hubs.client('a')).receiver('mc/news');
    await hubs.known('a', 'mc/news', 1);
    const sender = await (await hubs.client('a')).sender('mc/news', { snd_settle_mode: 1 });
    for (const i of range(2000)) await sender.send({ body: i });
    await slow.count(2000);
    assert.deepEqual(slow.bodies, range(2000));
    assert.deepEqual(quick.bodies, range(2000));
  });
});
