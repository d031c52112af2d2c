import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { Message } from 'rhea';
import { until } from '../../../test/support/until.ts';
import { Hubs, way } from './clients.testkit.ts';
import { openAmqpListener } from './amqp-listener.ts';

describe('requests', () => {
  let hubs: Hubs;
  afterEach(() => hubs.stop());

  for (const [how, isAnonymous] of [
    ['a sender for all replies', true],
    ['a sender for the one address', false],
  ] as const)
    it(`get their replies across routers, from ${how}`, async () => {
      hubs = await Hubs.start('a', 'b/1');
      const serving = await hubs.client('b/1');
      const requests = await serving.receiver('service');
      const anonymous = isAnonymous ? await serving.sender(null) : undefined;
      requests.link.on('message', ({ message }) => {
        const { reply_to = '', body, correlation_id } = message!;
        const reply = { to: reply_to, correlation_id, body: `re: ${body}` } as Message;
        if (anonymous) anonymous.link.send(reply);
        else void serving.sender(reply_to).then((sender) => sender.send(reply));
      });
      const client = await hubs.client('a');
      const replies = await client.receiver({ address: '', dynamic: true });
      assert.match(replies.address, /^_reply\/a\//);
      assert.deepEqual(hubs.router('b/1').destinations(replies.address), [], 'nobody is told of it');
      const sender = await client.sender('service');
      await sender.send({ body: 'ping', reply_to: replies.address, correlation_id: '7' });
      const [reply] = await replies.count(1);
      assert.equal(reply!.message.body, 're: ping');
      assert.equal(reply!.message.correlation_id, '7');
    });

  it('whose client is gone get their replies back', async () => {
    hubs = await Hubs.start('a', 'b');
    const client = await hubs.client('a');
    const replies = await client.receiver({ address: '', dynamic: true });
    const server = await hubs.client('b');
    const direct = await server.sender(replies.address);
    assert.equal(await direct.sendAndHear({ body: 'while it is there' }), 'accepted');
    await client.close();
    await until('no credit', () => !direct.link.sendable());
    hubs.network.cut('a');
    const late = await server.sender(null);
    assert.equal(await late.sendAndHear({ to: replies.address, body: 'too late' }), 'rejected');
  });
});

describe('senders without an address', () => {
  let hubs: Hubs;
  afterEach(() => hubs.stop());

  it('reach the address that each message names', async () => {
    hubs = await Hubs.start('a', 'b');
    const receivers = [];
    for (const address of ['one', 'two', 'mc/all']) receivers.push(await (await hubs.client('b')).receiver(address));
    for (const address of ['one', 'two', 'mc/all']) await hubs.known('a', address, 1);
    const sender = await (await hubs.client('a')).sender(null);
    for (const to of ['two', 'one', 'mc/all', 'one'])
      assert.equal(await sender.sendAndHear({ to, body: to, message_annotations: { x: 'y'.repeat(40_000) } }), 'accepted');
    await receivers[2]!.count(1);
    assert.deepEqual(
      receivers.map(({ bodies }) => bodies),
      [['one', 'one'], ['two'], ['mc/all']],
    );
  });

  it('hear of an address that nobody receives from, and of none', async () => {
    hubs = await Hubs.start('a');
    const sender = await (await hubs.client('a')).sender(null);
    const lost = await sender.outcome(await sender.send({ to: 'nowhere', body: 1 }));
    assert.equal(lost.kind, 'rejected');
    assert.match(JSON.stringify(lost.state), /amqp:not-found.*Nobody receives from nowhere/);
    const unnamed = await sender.outcome(await sender.send({ body: 1 }));
    assert.match(JSON.stringify(unnamed.state), /amqp:precondition-failed/);
    assert.deepEqual(hubs.hub('a').addresses, []);
  });
});

describe('a listener for one address', () => {
  let hubs: Hubs;
  afterEach(() => hubs.stop());

  it('refuses the others, in a sentence', async () => {
    hubs = await Hubs.start('a');
    const listener = await openAmqpListener('127.0.0.1', 0, way('orders'), hubs.hub('a'));
    const client = await hubs.clientAt(listener.port);
    await client.receiver('orders');
    const errors: unknown[] = [];
    for (const event of ['sender_error', 'receiver_error'] as const)
      client.connection.on(event, ({ sender, receiver }) => errors.push((sender ?? receiver)!.error));
    await client.sender('other');
    await client.receiver('other');
    await until('both errors', () => errors.length === 2);
    for (const error of errors) assert.match(JSON.stringify(error), /amqp:not-allowed.*This port is for orders only/);
    const anonymous = await client.sender(null);
    const refused = await anonymous.outcome(await anonymous.send({ to: 'other', body: 1 }));
    assert.match(JSON.stringify(refused.state), /amqp:not-allowed/);
    assert.equal(await anonymous.sendAndHear({ to: 'orders', body: 1 }), 'accepted');
    listener.close();
  });
});
