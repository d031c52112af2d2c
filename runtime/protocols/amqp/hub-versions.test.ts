import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Duplex } from 'node:stream';
import { spoilt } from '../../../test/support/bad-bytes.ts';
import { until } from '../../../test/support/until.ts';
import { Random } from '../../../test/simulation/random.ts';
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

  /** A client that receives from x, as the hub knows by then. */
  async function readingPeer(credit: number): Promise<Peer> {
    const reader = await Peer.open(hubs.port('new'));
    reader.receive('x', credit);
    await until('a receiver', () => hubs.router('new').served.size === 1);
    return reader;
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
    const reader = await readingPeer(2000);
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
    const reader = await readingPeer(2000);
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
    const reader = await readingPeer(10);
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

  it('that begin a message anew are cut off: nobody waits for the end of the one before', async () => {
    const reader = await readingPeer(10);
    const other = sendingPeer();
    other.hello(2);
    await other.sees(CREDIT);
    other.message(7, BODY, true);
    other.message(7, BODY);
    await until('its end', () => other.isClosed);
    const next = sendingPeer();
    next.hello(2);
    await next.sees(CREDIT);
    next.message(0, BODY);
    await until('a whole message', () => reader.messages > 0);
    reader.socket.destroy();
  });

  it('of a version that is not known here are cut off', async () => {
    const other = sendingPeer();
    other.hello(3);
    await until('its end', () => other.isClosed);
  });

  it('that send anything at all harm nobody', async () => {
    const reader = await Peer.open(hubs.port('new'));
    reader.receive('x', 100_000);
    await until('a receiver', () => hubs.router('new').served.size === 1);
    for (let seed = 1; seed <= 80; seed++) {
      const random = new Random(seed);
      const other = sendingPeer();
      other.hello(2);
      const [, credit] = await Promise.all([other.sees(RECEIVERS), other.sees(CREDIT)]);
      assert.ok(credit.length > 0);
      other.bytes(someOf(FROM_SENDERS, random));
      await new Promise((resolve) => setImmediate(resolve));
      other.end();
      await until(`the stream of seed ${seed} to end`, () => other.isClosed);
    }
    assert.ok(!reader.isClosed);
    const before = reader.messages;
    const last = sendingPeer();
    last.hello(2);
    await last.sees(CREDIT);
    last.message(0, BODY);
    await until('a message', () => reader.messages > before);
    reader.socket.destroy();
  });

  it('with receivers that send anything at all harm nobody', async () => {
    const writer = await Peer.open(hubs.port('new'));
    writer.send('x');
    for (let seed = 1; seed <= 60; seed++) {
      const opening = receivingPeer();
      const other = await opening;
      other.numbers(RECEIVERS, 1, 2);
      other.numbers(CREDIT, 5);
      await writer.credit();
      for (let left = 3; left > 0; left--) writer.transfer(BODY);
      await other.sees(MESSAGE, 1);
      other.bytes(someOf(FROM_RECEIVERS, new Random(seed)));
      await new Promise((resolve) => setImmediate(resolve));
      hubs.network.cut('other');
      await until(`the stream of seed ${seed} to end`, () => other.isClosed);
    }
    assert.ok(!writer.isClosed);
    writer.socket.destroy();
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

type HubFrame = [type: number, body: string];

/** Some of these, of which some are spoilt, in their bodies or altogether. */
function someOf(frames: readonly HubFrame[], random: Random): Buffer {
  const some = Array.from({ length: 6 }, () => {
    const [type, hex] = random.pick(frames);
    const body = random.chance(0.3) ? spoilt(Buffer.from(hex, 'hex'), random) : Buffer.from(hex, 'hex');
    const frame = Buffer.concat([Buffer.of(0, 0, 0, 0, type), body]);
    frame.writeUInt32BE(1 + body.length);
    return frame;
  });
  const bytes = Buffer.concat(some);
  return random.chance(0.1) ? spoilt(bytes, random) : bytes;
}

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
const FROM_SENDERS: HubFrame[] = [
  [MESSAGE, '000000000300000000005377a103616263'],
  [2, '0000000002646566'],
  [MESSAGE, '000000010300000000005377a103616263'],
  [ABORT, '00000001'],
  [4, ''],
  [5, '00000001'],
];
const FROM_RECEIVERS: HubFrame[] = [
  [PLACED, '00000000'],
  [TAKEN, '0000000000000010'],
  [ACCEPTED, '0000000000000001'],
  [20, '0000000100532445'],
  [21, '0000000200000001'],
  [FREED, '00000400'],
  [CREDIT, '00000003'],
  [18, ''],
];
/** A performative of AMQP. */
const DISPOSITION = 0x15;
