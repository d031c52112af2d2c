import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { afterEach, describe, it } from 'node:test';
import rhea from 'rhea';
import { until } from '../../../test/support/until.ts';
import { Hubs } from './clients.testkit.ts';
import { MAX_FRAME_BYTES, MAX_KEPT_MESSAGE_BYTES, MESSAGE_WINDOW_BYTES } from './limits.ts';
import { Peer } from './peer.testkit.ts';

const MIB = 1024 * 1024;

describe('messages of many MiB', () => {
  let hubs: Hubs;
  afterEach(() => hubs.stop());

  for (const address of ['files', 'mc/files'])
    it(`arrive whole across routers at ${address}, also several at once`, async () => {
      hubs = await Hubs.start('a', 'b');
      const receiver = await (await hubs.client('b')).receiver(address);
      await hubs.known('a', address, 1);
      const bodies = [64, 8, 8].map((size, i) => Buffer.alloc(size * MIB, `${i} and more`));
      await Promise.all(
        bodies.map(async (body, i) => {
          const sender = await (await hubs.client('a')).sender(address);
          const kind = await sender.sendAndHear({ subject: String(i), body: rhea.message.data_section(body) });
          assert.equal(kind, 'accepted');
        }),
      );
      await receiver.count(3);
      for (const { message } of receiver.received) {
        const { content } = message.body as { content: Buffer };
        assert.equal(hash(content), hash(bodies[Number(message.subject)]!));
      }
    });

  it('are passed on while they arrive, and wait at their sender when nobody reads', async () => {
    hubs = await Hubs.start('a', 'b');
    const reader = await Peer.open(hubs.port('b'));
    reader.receive('files', 10);
    const writer = await Peer.open(hubs.port('a'));
    writer.send('files');
    await writer.credit();
    const first = Buffer.alloc(MAX_FRAME_BYTES - 512, 1);
    writer.transfer(first, { more: true });
    await until('its beginning', () => reader.payloadBytes === first.length);

    reader.socket.pause();
    let sent = first.length;
    // Without a bound this would never end: so much fits nowhere.
    const most = 256 * MIB;
    while (sent < most && (await writer.hasWindow())) {
      writer.transfer(first, { more: true });
      sent += first.length;
    }
    assert.ok(sent < 64 * MIB, `${sent / MIB} MiB were taken though nobody reads`);
    assert.ok(sent > MESSAGE_WINDOW_BYTES);
    reader.socket.resume();
    await until('a window', () => writer.hasWindow());
    writer.transfer(Buffer.from('end'), { more: false });
    await until('all of it', () => reader.payloadBytes === sent + 3);
  });

  it('that are too large to keep go back to their sender when their receiver is lost', async () => {
    hubs = await Hubs.start('a', 'b');
    const dying = await hubs.client('b');
    const receiver = await dying.receiver('files', { autoaccept: false });
    await hubs.known('a', 'files', 1);
    const sender = await (await hubs.client('a')).sender('files');
    const delivery = await sender.send({ body: rhea.message.data_section(Buffer.alloc(MAX_KEPT_MESSAGE_BYTES + 1)) });
    await receiver.count(1);
    dying.cut();
    assert.equal((await sender.outcome(delivery)).kind, 'modified');
  });

  it('that break off are told to be none', async () => {
    hubs = await Hubs.start('a', 'b');
    const reader = await Peer.open(hubs.port('b'));
    reader.receive('files', 10);
    const writer = await Peer.open(hubs.port('a'));
    writer.send('files');
    await writer.credit();
    writer.transfer(Buffer.alloc(1000), { more: true });
    await until('its beginning', () => reader.payloadBytes === 1000);
    writer.socket.destroy();
    await until('its end', () => reader.aborted === 1);

    const next = await (await hubs.client('a')).sender('files');
    await next.send({ body: 'whole' });
    await until('the next one', () => reader.payloadBytes > 1000);
  });

  for (const address of ['files', 'mc/files'])
    it(`that their sender leaves half sent hold up others at ${address} for a moment only`, async () => {
      hubs = await Hubs.start();
      await hubs.add('a', 1, { messageStallMs: 1 });
      const reader = await Peer.open(hubs.port('a'));
      reader.receive(address, 10);
      const writer = await Peer.open(hubs.port('a'));
      writer.send(address);
      await writer.credit();
      for (let i = 0; i < 20; i++) writer.transfer(Buffer.alloc(15_000), { more: true });
      const sender = await (await hubs.client('a')).sender(address);
      await sender.send({ body: 'behind it' });
      await until('the end of the first', () => reader.aborted === 1);
      await until('the one behind it', () => reader.payloadBytes > 20 * 15_000);
      reader.socket.destroy();
      writer.socket.destroy();
    });
});

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
