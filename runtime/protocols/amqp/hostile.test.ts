import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { until } from '../../../test/support/until.ts';
import { Hubs, type RheaReceiver, type RheaSender } from './clients.testkit.ts';
import { MAX_FRAME_BYTES, MAX_LINKS, MAX_SESSIONS, SENDER_WINDOW } from './limits.ts';
import { Peer } from './peer.testkit.ts';
import { BEGIN, DISPOSITION, OPEN, TRANSFER } from './wire/performatives.ts';

describe('a client that breaks the protocol', () => {
  let hubs: Hubs;
  let receiver: RheaReceiver;
  let sender: RheaSender;
  let peer: Peer;
  beforeEach(async () => {
    hubs = await Hubs.start('a');
    receiver = await (await hubs.client('a')).receiver('others');
    sender = await (await hubs.client('a')).sender('others');
  });
  afterEach(async () => {
    // Nobody else notices.
    assert.equal(await sender.sendAndHear({ body: 'still here' }), 'accepted');
    await receiver.count(1);
    peer.socket.destroy();
    await hubs.stop();
  });

  const sentences: [what: string, does: (peer: Peer) => void, sentence: RegExp][] = [
    ['sends a frame that is too large', (p) => p.socket.write(frame(MAX_FRAME_BYTES + 1)), /framing-error.*larger than 16384/],
    ['sends a frame smaller than its header', (p) => p.socket.write(frame(7)), /framing-error/],
    ['sends what is no performative', (p) => p.write(0x7f, 0, () => {}), /not-implemented/],
    ['sends a value that is cut off', (p) => p.socket.write(frame(12, Buffer.of(0x00, 0x53, 0x12, 0xc0))), /decode-error/],
    [
      'sends a list that claims too much',
      (p) => p.socket.write(frame(13, Buffer.of(0x00, 0x53, 0x12, 0xc0, 0xff))),
      /decode-error/,
    ],
    ['opens twice', (p) => p.openConnection(), /framing-error/],
    ['begins too many sessions', (p) => range(MAX_SESSIONS + 1).forEach((i) => p.begin(i + 1)), /at most 16 sessions/],
    [
      'attaches too many links',
      (p) => range(MAX_LINKS + 1).forEach((handle) => p.attach(true, 'x', { name: `n${handle}`, handle })),
      /at most 4096 links/,
    ],
    ['uses a handle that is not attached', (p) => p.transfer(Buffer.alloc(1)), /unattached-handle/],
    ['uses a session that has not begun', (p) => p.write(TRANSFER, 0, () => {}, 9), /has not begun/],
    ['names a link with too many bytes', (p) => p.attach(true, 'x', { name: 'n'.repeat(2000) }), /longer than 1024/],
    [
      'sends as a receiver',
      (p) => {
        p.receive('x', 1);
        p.transfer(Buffer.alloc(1));
      },
      /errant-link/,
    ],
  ];
  for (const [what, does, sentence] of sentences)
    it(`that ${what} is told so`, async () => {
      peer = await Peer.open(hubs.port('a'));
      does(peer);
      assert.match(await peer.closedWith(), sentence);
      await until('the end', () => peer.isClosed);
    });

  it('that speaks something else is shown what is spoken here', async () => {
    peer = await Peer.connect(hubs.port('a'));
    peer.socket.write('GET / HTTP/1.1\r\n\r\n');
    await until('the end', () => peer.isClosed);
  });

  it('that sends without credit loses its link', async () => {
    peer = await Peer.open(hubs.port('a'));
    peer.send('nobody');
    for (let i = 0; i < 2; i++) peer.transfer(Buffer.alloc(1));
    await peer.sees(0x16);
    assert.equal(peer.isClosed, false);
  });

  it('that settles all numbers there are costs no more than one that settles its own', async () => {
    peer = await Peer.open(hubs.port('a'));
    peer.receive('others', 0);
    // Step by step that would be two hundred thousand million steps.
    for (let i = 0; i < 50; i++)
      peer.write(DISPOSITION, 5, (encoder) => {
        encoder.boolean(true);
        encoder.uint(0);
        encoder.uint(2 ** 32 - 1);
        encoder.boolean(true);
        encoder.null();
      });
    peer.begin(1);
    await until('an answer', () => peer.seen.filter(({ performative }) => performative === BEGIN).length === 2);
  });

  it('that does not take what it sends is given no more to send', async () => {
    peer = await Peer.open(hubs.port('a'));
    peer.receive('loop', 0);
    const flooding = await (await hubs.client('a')).sender('loop');
    let sent = 0;
    while (flooding.link.sendable() || sent === 0) {
      await flooding.send({ body: sent++ });
      if (sent > 3 * SENDER_WINDOW) break;
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(sent, SENDER_WINDOW);
  });

  it('that sends anything at all harms nobody', async () => {
    let seed = 1;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return (seed >>> 8) % below;
    };
    for (let round = 0; round < 50; round++) {
      peer = await Peer.open(hubs.port('a'));
      peer.receive('fuzz', 5);
      for (let i = 0; i < 20 && !peer.isClosed; i++) {
        const body = Buffer.from(range(random(60)).map(() => random(256)));
        const start = Buffer.of(0x00, 0x53, 0x10 + random(9), random(2) ? 0xc0 : 0xd0);
        peer.socket.write(frame(8 + start.length + body.length, Buffer.concat([start, body])));
      }
      peer.socket.end();
      await until('its end', () => peer.isClosed);
    }
    await peer.sees(OPEN);
  });
});

function frame(size: number, body = Buffer.alloc(0)): Buffer {
  const header = Buffer.from([0, 0, 0, 0, 2, 0, 0, 0]);
  header.writeUInt32BE(size);
  return Buffer.concat([header, body]);
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
