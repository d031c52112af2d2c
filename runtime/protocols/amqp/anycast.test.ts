import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import rhea from 'rhea';
import { until } from '../../../test/support/until.ts';
import { Balancer } from '../../routing/balancer.ts';
import { Hubs } from './clients.testkit.ts';
import { MAX_ORPHAN_BYTES } from './limits.ts';

describe('messages to one of several receivers', () => {
  let hubs: Hubs;
  afterEach(() => hubs.stop());

  it('reach a receiver at the same router, and one at another', async () => {
    hubs = await Hubs.start('a', 'b');
    for (const place of ['a', 'b']) {
      const receiver = await (await hubs.client(place)).receiver(`to-${place}`);
      const sender = await (await hubs.client('a')).sender(`to-${place}`);
      assert.equal(await sender.sendAndHear({ body: `hello ${place}`, subject: 'greeting' }), 'accepted');
      const [first] = await receiver.count(1);
      assert.equal(first!.message.body, `hello ${place}`);
      assert.equal(first!.message.subject, 'greeting');
    }
  });

  it('get no credit while nobody receives', async () => {
    hubs = await Hubs.start('a', 'b');
    const sender = await (await hubs.client('a')).sender('later');
    assert.equal(sender.link.sendable(), false);
    const client = await hubs.client('b');
    await client.receiver('later');
    await sender.credit();
    await client.close();
    await until('no credit', () => !sender.link.sendable());
  });

  it('reach receivers in equal parts', async () => {
    hubs = await Hubs.start('a', 'b', 'c');
    const receivers = [];
    for (const place of ['b', 'c', 'b', 'c']) receivers.push(await (await hubs.client(place)).receiver('work'));
    await hubs.known('a', 'work', 2);
    const sender = await (await hubs.client('a')).sender('work');
    for (let i = 0; i < 100; i++) assert.equal(await sender.sendAndHear({ body: i }), 'accepted');
    for (const { received } of receivers) assert.equal(received.length, 25);
  });

  it('never exceed a receiver’s credit', async () => {
    hubs = await Hubs.start('a', 'b');
    const receiver = await (await hubs.client('b')).receiver('slow', { credit_window: 0, autoaccept: false });
    const sender = await (await hubs.client('a')).sender('slow');
    const deliveries = [];
    for (let i = 0; i < 20; i++) deliveries.push(await sender.send({ body: i }));
    for (let credit = 1; credit <= 20; credit++) {
      receiver.link.add_credit(1);
      const received = await receiver.count(credit);
      assert.equal(received.length, credit);
      received[credit - 1]!.delivery.accept();
      assert.equal((await sender.outcome(deliveries[credit - 1]!)).kind, 'accepted');
    }
    assert.deepEqual(
      receiver.bodies,
      Array.from({ length: 20 }, (_, i) => i),
    );
  });

  it('go where credit is, while another receiver has none', async () => {
    hubs = await Hubs.start('a', 'b', 'c');
    const idle = await (await hubs.client('b')).receiver('work', { credit_window: 0 });
    const ready = await (await hubs.client('c')).receiver('work');
    await hubs.known('a', 'work', 2);
    const sender = await (await hubs.client('a')).sender('work');
    for (let i = 0; i < 10; i++) assert.equal(await sender.sendAndHear({ body: i }), 'accepted');
    assert.equal(idle.received.length, 0);
    assert.equal(ready.received.length, 10);
  });

  it('share one worker that takes one at a time among the senders of several routers', async () => {
    hubs = await Hubs.start('a', 'b', 'c');
    const worker = await (await hubs.client('c')).receiver('work', { credit_window: 0 });
    worker.link.on('message', () => worker.link.add_credit(1));
    worker.link.add_credit(1);
    const senders = await Promise.all(['a', 'b', 'c'].map(async (at) => (await hubs.client(at)).sender('work')));
    const kinds = await Promise.all(
      senders.map(async (sender) => {
        const all = [];
        for (let i = 0; i < 20; i++) all.push(await sender.sendAndHear({ body: i }));
        return all;
      }),
    );
    assert.ok(kinds.flat().every((kind) => kind === 'accepted'));
    assert.equal(worker.received.length, 60);
  });

  it('reach a worker whose only credit was lent to a router that does not use it', async () => {
    hubs = await Hubs.start('a', 'b', 'c');
    const worker = await (await hubs.client('c')).receiver('work', { credit_window: 0 });
    await (await hubs.client('a')).sender('work');
    worker.link.add_credit(1);
    const first = await (await hubs.client('b')).sender('work');
    assert.equal(await first.sendAndHear({ body: 'from b' }), 'accepted');
    worker.link.add_credit(1);
    const here = await (await hubs.client('c')).sender('work');
    assert.equal(await here.sendAndHear({ body: 'from c' }), 'accepted');
  });

  it('come back with what the receiver says', async () => {
    hubs = await Hubs.start('a', 'b');
    const receiver = await (await hubs.client('b')).receiver('picky', { autoaccept: false });
    const answers = [
      ['released', (at: number) => receiver.received[at]!.delivery.release()],
      ['rejected', (at: number) => receiver.received[at]!.delivery.reject({ condition: 'app:no', description: 'not this one' })],
      ['modified', (at: number) => receiver.received[at]!.delivery.modified({ delivery_failed: true, undeliverable_here: true })],
      ['accepted', (at: number) => receiver.received[at]!.delivery.accept()],
    ] as const;
    const sender = await (await hubs.client('a')).sender('picky');
    for (const [at, [kind, answer]] of answers.entries()) {
      const delivery = await sender.send({ body: kind });
      await receiver.count(at + 1);
      answer(at);
      const { kind: heard, state } = await sender.outcome(delivery);
      assert.equal(heard, kind);
      if (kind === 'rejected') assert.match(JSON.stringify(state), /app:no.*not this one/);
      if (kind === 'modified') assert.match(JSON.stringify(state), /undeliverable_here":true/);
    }
  });

  for (const place of ['a', 'b'])
    it(`are sent again when the receiver at ${place} dies with them`, async () => {
      hubs = await Hubs.start('a', 'b', 'c');
      const client = await hubs.client(place);
      const dying = await client.receiver('jobs', { autoaccept: false });
      if (place !== 'a') await hubs.known('a', 'jobs', 1);
      const sender = await (await hubs.client('a')).sender('jobs');
      const deliveries = [
        await sender.send({ body: 'first' }),
        await sender.send({ body: 'second', header: { durable: true } } as never),
      ];
      await dying.count(2);
      const heir = await (await hubs.client('c')).receiver('jobs');
      await hubs.known('a', 'jobs', place === 'a' ? 1 : 2);
      client.cut();
      await heir.count(2);
      assert.deepEqual(heir.bodies, ['first', 'second']);
      for (const { message } of heir.received) assert.equal(message.delivery_count, 1);
      for (const delivery of deliveries) assert.equal((await sender.outcome(delivery)).kind, 'accepted');
    });

  it('are released when their only receiver dies with them', async () => {
    hubs = await Hubs.start('a', 'b');
    const client = await hubs.client('b');
    const dying = await client.receiver('jobs', { autoaccept: false });
    const sender = await (await hubs.client('a')).sender('jobs');
    const delivery = await sender.send({ body: 'alone' });
    await dying.count(1);
    client.cut();
    assert.equal((await sender.outcome(delivery)).kind, 'released');
  });

  it('are sent again when the router of their receiver is lost', async () => {
    hubs = await Hubs.start('a', 'b', 'c');
    const dying = await (await hubs.client('b')).receiver('jobs', { autoaccept: false });
    const sender = await (await hubs.client('a')).sender('jobs');
    const delivery = await sender.send({ body: 'important' });
    await dying.count(1);
    const heir = await (await hubs.client('c')).receiver('jobs');
    await hubs.known('a', 'jobs', 2);
    hubs.network.cut('b');
    await heir.count(1);
    assert.equal((await sender.outcome(delivery)).kind, 'accepted');
    hubs.network.mend('b');
    await hubs.known('a', 'jobs', 2);
    const before = dying.received.length;
    await until('a message at the router that is back', async () => {
      await sender.send({ body: 'more' });
      return dying.received.length > before;
    });
  });

  it('go to the closest receivers alone while there are any', async () => {
    hubs = await Hubs.start('a');
    await hubs.add('near', 2);
    await hubs.add('far', 5);
    const far = await (await hubs.client('far')).receiver('closest/db');
    const nearClient = await hubs.client('near');
    const near = await nearClient.receiver('closest/db');
    const hereClient = await hubs.client('a');
    const here = await hereClient.receiver('closest/db');
    await hubs.known('a', 'closest/db', 2);
    const sender = await (await hubs.client('a')).sender('closest/db');
    const counts = () => [here, near, far].map(({ received }) => received.length);
    for (let i = 0; i < 5; i++) await sender.sendAndHear({ body: i });
    assert.deepEqual(counts(), [5, 0, 0]);
    await hereClient.close();
    for (let i = 0; i < 5; i++) await sender.sendAndHear({ body: i });
    assert.deepEqual(counts(), [5, 5, 0]);
    await nearClient.close();
    await hubs.known('a', 'closest/db', 1);
    for (let i = 0; i < 5; i++) await sender.sendAndHear({ body: i });
    assert.deepEqual(counts(), [5, 5, 5]);
  });

  it('may be settled by their sender, and arrive all the same when it closes at once', async () => {
    hubs = await Hubs.start('a', 'b');
    const receiver = await (await hubs.client('b')).receiver('feed');
    const client = await hubs.client('a');
    const sender = await client.sender('feed', { snd_settle_mode: 1 });
    for (let i = 0; i < 200; i++) await sender.send({ body: i });
    await client.close();
    await receiver.count(200);
    assert.deepEqual(
      receiver.bodies,
      Array.from({ length: 200 }, (_, i) => i),
    );
    assert.ok(receiver.received.every(({ delivery }) => delivery.remote_settled));
  });

  it('of clients that are gone wait within bounds', async () => {
    hubs = await Hubs.start('a');
    const receiver = await (await hubs.client('a')).receiver('feed', { credit_window: 0 });
    const count = 8;
    const body = rhea.message.data_section(Buffer.alloc(MAX_ORPHAN_BYTES / count));
    for (let i = 0; i < 2; i++) {
      const client = await hubs.client('a');
      const sender = await client.sender('feed', { snd_settle_mode: 1 });
      for (let j = 0; j < count / 2; j++) await sender.send({ body, subject: `${i} ${j}` });
      await client.close();
    }
    const last = await hubs.client('a');
    const sender = await last.sender('feed', { snd_settle_mode: 1 });
    await sender.send({ body, subject: 'too much' });
    await last.close();
    receiver.link.add_credit(100);
    await receiver.count(count - 1);
    const next = await (await hubs.client('a')).sender('feed');
    assert.equal(await next.sendAndHear({ body: 'next', subject: 'next' }), 'accepted');
    // With what stands before its body the last of those that would fit does not.
    assert.deepEqual(
      receiver.received.map(({ message }) => message.subject),
      ['0 0', '0 1', '0 2', '0 3', '1 0', '1 1', '1 2', 'next'],
    );
  });

  it('leave nothing behind of a receiver that is gone', async (t) => {
    const started = t.mock.method(Balancer.prototype, 'started').mock;
    hubs = await Hubs.start('a');
    const [stays, goes] = [await hubs.client('a'), await hubs.client('a')];
    for (const client of [stays, goes]) await client.receiver('x');
    const sender = await (await hubs.client('a')).sender('x');
    for (let count = 0; count < 2; count++) assert.equal(await sender.sendAndHear({ body: 1 }), 'accepted');
    const balancer = started.calls[0]!.this as Balancer;
    assert.equal(balancer.known('x'), 2);
    await goes.close();
    await until('it to be forgotten', () => balancer.known('x') === 1);
  });

  it('leave nothing behind when everybody is gone', async () => {
    hubs = await Hubs.start('a', 'b');
    for (const address of ['x', 'closest/x', 'mc/x']) {
      const receiving = await hubs.client('b');
      await receiving.receiver(address);
      await hubs.known('a', address, 1);
      const sending = await hubs.client('a');
      const sender = await sending.sender(address);
      assert.equal(await sender.sendAndHear({ body: 1 }), 'accepted');
      await sending.close();
      await receiving.close();
    }
    await until('nothing', () => hubs.hub('a').addresses.length + hubs.hub('b').addresses.length === 0);
  });
});
