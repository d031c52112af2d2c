import assert from 'node:assert/strict';
import { it } from 'node:test';
import { spoilt } from '../../test/support/bad-bytes.ts';
import { until } from '../../test/support/until.ts';
import { Random } from '../../test/simulation/random.ts';
import { encodeHeader } from './datagram.ts';
import { DatagramBatch } from './datagram-batch.ts';
import { encodeFrame, encodeJsonFrame, encodeNumberFrame, FrameType } from './frames.ts';
import { RawPeer } from './link-pair.testkit.ts';

const SEEDS = 80;
/** The ping behind all of it. */
const LAST = Buffer.from('the last');

it('a neighbour that sends anything at all is cut off, or goes on', async () => {
  let cut = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = new Random(seed);
    const peer = await RawPeer.start();
    const good = frames();
    for (let left = 4; left > 0; left--) {
      const frame = random.pick(good);
      peer.send(random.chance(0.5) ? frame : spoilt(frame, random));
    }
    // Twice: the first may be taken for the payload of a frame before it.
    for (let left = 2; left > 0; left--) peer.send(encodeFrame(FrameType.ping, 0, LAST));
    await until(
      () => `seed ${seed} to end or go on`,
      () =>
        peer.events.reason !== undefined || peer.frames.some(({ type, body }) => type === FrameType.pong && body.equals(LAST)),
    );
    if (peer.events.reason) cut++;
    await peer.stop();
  }
  assert.ok(cut > 10 && cut < SEEDS, `${cut} of ${SEEDS} were cut off`);
});

/** One of each type, and a stream with all that happens to one. */
function frames(): Buffer[] {
  const datagrams: Buffer[] = [];
  const batch = new DatagramBatch((frame) => datagrams.push(frame));
  const header = encodeHeader({ to: [{ router: 'link' }], from: { router: 'peer' }, address: 'news', port: 53, hops: 3 });
  batch.add(header, 7, Buffer.from('hello'));
  batch.flush();
  return [
    encodeFrame(FrameType.open, 1, Buffer.concat([Buffer.of(0, 1, 0, 0), Buffer.from('{"address":"a"}')])),
    encodeFrame(FrameType.data, 1, Buffer.from('hello')),
    encodeFrame(FrameType.dataAhead, 1),
    Buffer.from('hello'),
    encodeNumberFrame(FrameType.credit, 1, 65_536),
    encodeFrame(FrameType.end, 1),
    encodeJsonFrame(FrameType.reset, 1, { code: 'reset', message: 'x' }),
    encodeFrame(FrameType.ping, 0, Buffer.alloc(8)),
    encodeJsonFrame(FrameType.cost, 0, { cost: 3 }),
    encodeJsonFrame(FrameType.routing, 0, { type: 'hello' }),
    encodeFrame(FrameType.blocked, 1),
    encodeJsonFrame(FrameType.lost, 1, [{ router: 'a' }]),
    encodeNumberFrame(FrameType.received, 0, 0),
    ...datagrams,
  ];
}
