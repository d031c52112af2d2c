import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, describe, it } from 'node:test';
import { until } from '../../../test/support/until.ts';
import { Hubs, RheaClient, way } from './clients.testkit.ts';
import { openAmqpListener } from './amqp-listener.ts';
import { MAX_FRAME_BYTES, MAX_NAME_BYTES, MAX_SESSIONS } from './limits.ts';
import { Peer } from './peer.testkit.ts';
import { Decoder } from './wire/decoder.ts';
import { decodeFlow, decodeOpen, OPEN } from './wire/performatives.ts';

describe('connections of AMQP clients', () => {
  let hubs: Hubs;
  afterEach(() => hubs.stop());

  for (const [how, options] of [
    ['without SASL', {}],
    ['as anonymous', { username: 'anybody' }],
    ['with a password, which is not looked at', { username: 'anybody', password: 'anything' }],
  ] as const)
    it(`are taken ${how}`, async () => {
      hubs = await Hubs.start('a');
      const client = await RheaClient.connect(hubs.port('a'), options);
      const receiver = await client.receiver('x');
      const sender = await client.sender('x');
      assert.equal(await sender.sendAndHear({ body: 1 }), 'accepted');
      await receiver.count(1);
      await client.close();
    });

  it('may have a sender and a receiver of one name in one session', async () => {
    hubs = await Hubs.start('a');
    const peer = await Peer.open(hubs.port('a'));
    peer.attach(true, 'x', { name: 'same', handle: 0 });
    peer.attach(false, 'x', { name: 'same', handle: 1 });
    await until('both', () => peer.seen.filter(({ performative }) => performative === 0x12).length === 2);
    peer.socket.destroy();
  });

  for (const [what, address] of [
    ['with a blank', 'my queue'],
    ['with a control character', 'queue\u0007'],
    ['that is too long', 'q'.repeat(254)],
    ['for replies that is too long', `_reply/b/${'q'.repeat(5000)}`],
  ] as const)
    it(`are refused an address ${what}, which neighbours would cut links for`, async () => {
      hubs = await Hubs.start('a', 'b');
      const client = await hubs.client('a');
      if (address.length < MAX_NAME_BYTES)
        for (const link of [(await client.receiver(address)).link, (await client.sender(address)).link]) {
          await until('it to be refused', () => link.error);
          assert.equal((link.error as { condition?: string }).condition, 'amqp:invalid-field');
        }
      const sender = await client.sender(null);
      const delivery = await sender.send({ to: address, body: 'x' });
      assert.match(JSON.stringify(await sender.outcome(delivery)), /rejected.*amqp:invalid-field/);
      assert.deepEqual([...hubs.router('a').served.keys()], []);
      assert.equal(hubs.network.opened.connect, 0);
    });

  it('may receive from so many addresses in all, and from those that are there', async () => {
    hubs = await Hubs.start();
    await hubs.add('a', 1, { maxAddresses: 2 });
    const client = await hubs.client('a');
    for (const address of ['x', 'y']) await client.receiver(address);
    const { link } = await client.receiver('z');
    await until('it to be refused', () => link.error);
    assert.equal((link.error as { condition?: string }).condition, 'amqp:resource-limit-exceeded');
    const again = await client.receiver('x');
    assert.equal(again.link.error, undefined);
    assert.deepEqual(hubs.hub('a').addresses, ['x', 'y']);
  });

  it('hear what the router takes', async () => {
    hubs = await Hubs.start('a');
    const peer = await Peer.open(hubs.port('a'));
    const open = decodeOpen((await peer.sees(OPEN)).fields);
    assert.equal(open.containerId, 'a');
    assert.equal(open.maxFrameSize, MAX_FRAME_BYTES);
    assert.equal(open.channelMax, MAX_SESSIONS - 1);
    peer.socket.destroy();
  });

  it('hear something as often as they want to', async () => {
    hubs = await Hubs.start('a');
    const peer = await Peer.connect(hubs.port('a'));
    peer.writeHeader();
    peer.openConnection(200);
    await until('three signs of life', () => peer.heartbeats >= 3);
    peer.socket.destroy();
  });

  it('are told why when the router, or the listener, ends', async () => {
    hubs = await Hubs.start('a');
    const listener = await openAmqpListener('127.0.0.1', 0, way('x'), hubs.hub('a'));
    for (const [port, end] of [
      [listener.port, () => listener.close()],
      [hubs.port('a'), () => hubs.hub('a').close()],
    ] as const) {
      const client = await hubs.clientAt(port);
      await client.receiver('x');
      const closed = once(client.connection, 'connection_close');
      end();
      await closed;
      assert.match(JSON.stringify(client.connection.error), /amqp:connection:forced/);
    }
  });

  it('get their credit back, unused, when they drain it', async () => {
    hubs = await Hubs.start('a', 'b');
    const peer = await Peer.open(hubs.port('a'));
    peer.receive('quiet', 0);
    peer.flow(10, true);
    const flow = await until('the answer', () =>
      peer.flows.map((body) => decodeFlow(new Decoder(body, 3).list())).find(({ drain }) => drain),
    );
    assert.equal(flow.linkCredit, 0);
    assert.equal(flow.deliveryCount, 10);
    assert.equal(flow.handle, 0);
    peer.socket.destroy();
  });

  it('that drain get first what waits for them, here and at other routers', async () => {
    hubs = await Hubs.start('a', 'b');
    for (const place of ['a', 'b']) {
      const address = `pull-${place}`;
      const peer = await Peer.open(hubs.port('a'));
      peer.receive(address, 0);
      if (place === 'b') await hubs.known('b', address, 1);
      const sender = await (await hubs.client(place)).sender(address);
      await sender.send({ body: 'waiting' });
      // As a client does that looks for a message now and then.
      await until('the message', () => {
        if (peer.payloadBytes === 0) peer.flow(1, true);
        return peer.payloadBytes > 0;
      });
      peer.socket.destroy();
    }
  });
});
