import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Duplex } from 'node:stream';
import { until } from '../../../test/support/until.ts';
import { Hubs } from './clients.testkit.ts';
import { HubPeer } from './hub-peer.testkit.ts';
import { HUB_WINDOW_BYTES } from './limits.ts';
import { Peer } from './peer.testkit.ts';

const BODY = Buffer.alloc(1024);

describe('hubs of two versions', () => {
  let hubs: Hubs;
  beforeEach(async () => {
    hubs = await Hubs.start('new');
  });
  afterEach(() => hubs.stop());

  /** A hub that says it has a receiver of x. Resolves once the other opens a stream to it. */
  function receivingPeer(): Promise<HubPeer> {
    const router = hubs.network.router('other');
    const opened = new Promise<HubPeer>((resolve) => {
      router.hub = { accept: (stream) => resolve(new HubPeer(stream as Duplex)) };
    });
    router.serve('x', { distribution: 'balanced', receivers: 1 });
    return opened;
  }

  /** A hub that opens a stream to the other, for x. */
  function sendingPeer(): HubPeer {
    return new HubPeer(hubs.network.open(hubs.network.router('other'), 'new', 'x'));
  }

  it('send to one of version 1 as it knows it', async () => {
    const opening = receivingPeer();
    await hubs.known('new', 'x', 1);
    const writer = await Peer.open(hubs.port('new'));
    writer.send('x');
    const old = await opening;
    old.numbers(RECEIVERS, 1);
    old.numbers(CREDIT, 3);
    await writer.credit();
    for (let i = 0; i < 3; i++) writer.transfer(BODY);
    const messages = await old.sees(MESSAGE, 3);
    assert.deepEqual(
      messages.map(({ numbers }) => numbers[0]),
      [0, 1, 2],
    );
    assert.equal(old.seen[0]!.type, HELLO);
    assert.equal(old.seen[0]!.numbers[0], 1);
    old.numbers(ACCEPTED, 0, 3);
    await writer.sees(DISPOSITION);
    writer.socket.destroy();
  });

  it('take from one of version 1 what it sends, and tell it nothing that it does not know', async () => {
    const reader = await Peer.open(hubs.port('new'));
    reader.receive('x', 2000);
    await until('a receiver', () => hubs.router('new').served.size === 1);
    const old = sendingPeer();
    old.hello(1);
    const [receivers] = await old.sees(RECEIVERS);
    assert.equal(receivers!.numbers[0], 1);
    await old.sees(CREDIT);
    old.message(0, BODY, true);
    old.numbers(ABORT, 0);
    for (let i = 1; i < 1000; i++) old.message(i, Buffer.alloc(8 * 1024));
    await until('all of them', () => reader.messages === 999);
    assert.ok(old.seen.every(({ type }) => type <= TAKEN));
    assert.equal(old.isClosed, false);
    reader.socket.destroy();
  });

  it('of version 2 are told what is free again, and which messages have a receiver', async () => {
    const reader = await Peer.open(hubs.port('new'));
    reader.receive('x', 2000);
    await until('a receiver', () => hubs.router('new').served.size === 1);
    const other = sendingPeer();
    other.hello(2);
    const [receivers] = await other.sees(RECEIVERS);
    assert.deepEqual(receivers!.numbers, [1, 2]);
    await other.sees(CREDIT);
    other.message(0, BODY, true);
    const [placed] = await other.sees(PLACED);
    assert.deepEqual(placed!.numbers, [0]);
    other.numbers(ABORT, 0);
    const payload = Buffer.alloc(8 * 1024);
    const count = 500;
    for (let i = 1; i <= count; i++) other.message(i, payload);
    await until('all of them', () => reader.messages === count);
    const freed = await other.sees(FREED);
    assert.ok(freed.every(({ numbers }) => numbers[0]! >= HUB_WINDOW_BYTES / 4));
    reader.socket.destroy();
  });

  it('of version 2 are told what is free again where a message breaks off before it has a receiver', async () => {
    const reader = await Peer.open(hubs.port('new'));
    reader.receive('x', 10);
    await until('a receiver', () => hubs.router('new').served.size === 1);
    const other = sendingPeer();
    other.hello(2);
    await other.sees(CREDIT);
    // Its credit is gone, and what was granted for it is used all the same.
    reader.flow(10, true);
    await until('the end of its credit', () => reader.flows.length > 0);
    other.message(0, BODY, true);
    other.numbers(ABORT, 0);
    const [placed] = await other.sees(PLACED);
    assert.deepEqual(placed!.numbers, [0]);
    assert.equal(reader.isClosed, false, 'its end would free it as well');
    assert.equal(reader.payloadBytes, 0);
    reader.socket.destroy();
  });

  it('of version 2 are cut off when they send beyond the window', async () => {
    const reader = await Peer.open(hubs.port('new'));
    reader.receive('x', 100_000);
    await until('a receiver', () => hubs.router('new').served.size === 1);
    reader.socket.pause();
    const other = sendingPeer();
    other.hello(2);
    let sent = 0;
    let granted = 0;
    await until('its end', () => {
      granted = other.seen.filter(({ type }) => type === CREDIT).reduce((sum, { numbers }) => sum + numbers[0]!, 0);
      for (; sent < granted && !other.isClosed; sent++) other.message(sent, Buffer.alloc(16 * 1024));
      return other.isClosed;
    });
    assert.ok(sent * 16 * 1024 < 64 * 1024 * 1024);
    reader.socket.destroy();
  });

  it('of a version that is not known here are cut off', async () => {
    const other = sendingPeer();
    other.hello(3);
    await until('its end', () => other.isClosed);
  });

  it('of a later version are spoken to in this one', async () => {
    const opening = receivingPeer();
    await hubs.known('new', 'x', 1);
    const writer = await Peer.open(hubs.port('new'));
    writer.send('x');
    const later = await opening;
    later.numbers(RECEIVERS, 1, 9);
    const [hello] = await later.sees(HELLO);
    assert.equal(hello!.numbers[0], 2);
    writer.socket.destroy();
  });
});

// As docs/amqp.md has them, and not as the source does: these may not change.
const HELLO = 0;
const MESSAGE = 1;
const ABORT = 3;
const RECEIVERS = 16;
const CREDIT = 17;
const ACCEPTED = 19;
const TAKEN = 22;
const FREED = 23;
const PLACED = 24;
/** A performative of AMQP. */
const DISPOSITION = 0x15;
