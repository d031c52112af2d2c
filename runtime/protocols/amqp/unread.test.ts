import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import rhea from 'rhea';
import { until } from '../../../test/support/until.ts';
import { Hubs, type RheaReceiver } from './clients.testkit.ts';
import { HUB_WINDOW_BYTES, RECEIVER_BACKLOG_BYTES, SESSION_WINDOW_BYTES } from './limits.ts';
import { Peer } from './peer.testkit.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
/** What the system's sockets and the streams of the test may hold besides. Bytes. */
const SOCKETS = 16 * MIB;

describe('a receiver that grants much credit and does not read', () => {
  let hubs: Hubs;
  afterEach(() => hubs.stop());

  for (const [place, bound] of [
    ['a', SESSION_WINDOW_BYTES],
    ['b', SESSION_WINDOW_BYTES + HUB_WINDOW_BYTES + RECEIVER_BACKLOG_BYTES],
  ] as const)
    for (const [size, settled] of [
      [64 * KIB, true],
      [64 * KIB, false],
      [8 * KIB, true],
    ] as const)
      it(`at ${place} makes senders at a wait: ${size / KIB} KiB, ${settled ? 'settled' : 'unsettled'}`, async () => {
        hubs = await Hubs.start('a', 'b');
        const reader = await Peer.open(hubs.port(place));
        reader.receive('slow', 100_000);
        const writer = await Peer.open(hubs.port('a'));
        writer.send('slow');
        await writer.credit();
        reader.socket.pause();
        const body = Buffer.alloc(size);
        let sent = 0;
        while (sent * size < 256 * MIB && (await writer.hasWindow(5)) && writer.hasCredit) {
          writer.message(body, { settled });
          sent++;
        }
        assert.ok(sent * size < bound + SOCKETS, `${(sent * size) / MIB} MiB were taken though nobody reads`);
        reader.socket.resume();
        await until('all of them', () => reader.messages === sent);
        assert.ok(hubs.network.opened.connect <= 1, 'the stream lives on');
        reader.socket.destroy();
        writer.socket.destroy();
      });

  for (const [what, size, count, senders, places] of [
    ['messages of 64 KiB', 64 * KIB, 800, 1, ['b', 'c']],
    ['messages of 2 MiB, several at a time', 2 * MIB, 60, 30, ['b']],
  ] as const)
    it(`holds up nobody else at its address: ${what}`, async () => {
      hubs = await Hubs.start('a', 'b', 'c');
      const stuck = await Peer.open(hubs.port('b'));
      stuck.receive('work', 100_000);
      await hubs.known('a', 'work', 1);
      stuck.socket.pause();
      const body = rhea.message.data_section(Buffer.alloc(size));
      for (let i = 0; i < senders; i++) {
        const sender = await (await hubs.client('a')).sender('work');
        for (let j = 0; j < count / senders; j++) await sender.send({ body });
      }
      const quick: RheaReceiver[] = [];
      const received = () => quick.reduce((sum, { received: { length } }) => sum + length, 0);
      for (const place of places) quick.push(await (await hubs.client(place)).receiver('work', { credit_window: 5 }));
      // The rest of them stand before the one that is stuck.
      const atMost = Math.ceil((RECEIVER_BACKLOG_BYTES + SOCKETS / 2) / size) + 1;
      await until(
        () => `${count - atMost} messages; there are ${received()}`,
        () => received() >= count - atMost,
      );
      stuck.socket.destroy();
    });
});
