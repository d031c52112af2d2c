import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { until } from '../../test/support/until.ts';
import {
  decodeJson,
  encodeFrame,
  encodeJsonFrame,
  encodeNumberFrame,
  FIRST_OPTIONAL_TYPE,
  FrameType,
  MAX_PAYLOAD_BYTES,
  ProtocolError,
} from './frames.ts';
import { encodeRouting, LINK_DEAD_AFTER_MS } from './link.ts';
import { helloOf, linkPair, RawPeer } from './link-pair.testkit.ts';
import { MAX_WINDOW_BYTES } from './credit.ts';

async function pairOf(t: TestContext) {
  const pair = await linkPair();
  t.after(() => pair.stop());
  return pair;
}

async function peerOf(t: TestContext, options?: Parameters<typeof RawPeer.start>[0]): Promise<RawPeer> {
  const peer = await RawPeer.start(options);
  t.after(() => peer.stop());
  return peer;
}

/** An opening frame: a window, then JSON. */
function open(stream: number, window = 1024, info: string = '{}'): Buffer {
  const body = Buffer.concat([Buffer.alloc(4), Buffer.from(info)]);
  body.writeUInt32BE(window);
  return encodeFrame(FrameType.open, stream, body);
}

describe('a link', () => {
  it('tells each end who the other is, before anything else', async (t) => {
    const { nearEvents, farEvents } = await pairOf(t);
    assert.deepEqual(nearEvents.hellos, [helloOf('far')]);
    assert.deepEqual(farEvents.hellos, [helloOf('near')]);
  });

  it('carries routing messages in order, and measures its round trip', async (t) => {
    const { near, farEvents } = await pairOf(t);
    for (let at = 0; at < 100; at++) near.sendRouting(encodeRouting({ kind: 'offers-request', origins: [String(at)] }));
    await until('all messages', () => farEvents.messages.length === 100);
    assert.deepEqual(
      farEvents.messages.map((message) => (message.kind === 'offers-request' ? message.origins[0] : '')),
      Array.from({ length: 100 }, (_, at) => String(at)),
    );
    assert.ok((await until('a round trip', () => near.rttMs)) < 10_000);
    assert.ok(near.bytesOut > 0 && near.bytesIn > 0);
  });

  it('tells the other end when its cost changes', async (t) => {
    const { near, farEvents } = await pairOf(t);
    near.sendCost(7);
    await until('the cost', () => farEvents.costs.length === 1);
    assert.deepEqual(farEvents.costs, [7]);
  });

  it('numbers the streams of its two ends apart', async (t) => {
    const { near, far } = await pairOf(t);
    assert.deepEqual([near.openStream().id, near.openStream().id], [1, 3]);
    assert.deepEqual([far.openStream().id, far.openStream().id], [2, 4]);
  });

  it('opens no stream once it is closed', async (t) => {
    const { near } = await pairOf(t);
    near.close({ code: 'closing', message: 'over' });
    assert.equal(near.openStream().closed, true);
    assert.equal(near.streams, 0);
  });

  it('tells the other end why it closes', async (t) => {
    const { near, nearEvents, farEvents } = await pairOf(t);
    near.close({ code: 'closing', message: 'this site was revoked' });
    assert.deepEqual(nearEvents.reason, { code: 'closing', message: 'this site was revoked' });
    await until('the other end', () => farEvents.reason);
    assert.deepEqual(farEvents.reason, { code: 'link-lost', message: 'this site was revoked' });
  });

  it('never takes a window beyond the limit, whatever a neighbour promises', async (t) => {
    const peer = await peerOf(t);
    peer.send(open(1, 0xffff_ffff));
    await until('the stream', () => peer.events.opened.length === 1);
    assert.equal(peer.events.opened[0]!.window, MAX_WINDOW_BYTES);
  });

  it('does not mind frames for a stream that has just gone', async (t) => {
    const peer = await peerOf(t);
    for (const type of [FrameType.data, FrameType.end, FrameType.blocked]) peer.send(encodeFrame(type, 99));
    peer.send(
      encodeNumberFrame(FrameType.credit, 99, 5),
      encodeJsonFrame(FrameType.reset, 99, {}),
      encodeFrame(FrameType.pong, 0),
    );
    peer.send(encodeFrame(FrameType.ping, 0, Buffer.from('still ok')));
    assert.equal((await peer.frame(FrameType.pong)).body.toString(), 'still ok');
    assert.equal(peer.events.reason, undefined);
  });
});

describe('a neighbour of a later version', () => {
  it('may send frames that are passed over', async (t) => {
    const peer = await peerOf(t);
    peer.send(encodeFrame(FIRST_OPTIONAL_TYPE as FrameType, 0, Buffer.from('news')));
    peer.send(encodeFrame(FrameType.ping, 0, Buffer.from('still ok')));
    assert.equal((await peer.frame(FrameType.pong)).body.toString(), 'still ok');
    assert.equal(peer.events.reason, undefined);
  });
});

describe('a neighbour that breaks the protocol is cut off, and told why:', () => {
  const large = Buffer.alloc(MAX_PAYLOAD_BYTES + 1);
  const cases: [what: string, messages: (Buffer | string)[], reason: string, greeted?: false][] = [
    ['it speaks before its hello', [open(1)], 'it speaks before it said who it is', false],
    [
      'its hello is no JSON',
      [encodeFrame(FrameType.hello, 0, Buffer.from('{'))],
      'a frame that carries JSON has something else',
      false,
    ],
    ['it says hello twice', [encodeJsonFrame(FrameType.hello, 0, helloOf('peer'))], 'it said twice who it is'],
    ['it sends text', ['hello'], 'it sends text'],
    ['a frame without a header', [Buffer.from('abc')], 'a frame is shorter than its header'],
    ['an unknown frame', [encodeFrame(42 as FrameType, 0)], 'it sends a frame of the unknown type 42'],
    ['too much in one frame', [open(1), encodeFrame(FrameType.data, 1, large)], 'it sends more than 65536 bytes in one frame'],
    [
      'too much behind a header',
      [open(1), encodeFrame(FrameType.dataAhead, 1), large],
      'it sends more than 65536 bytes in one frame',
    ],
    ['a stream with a number of ours', [open(2)], 'it opens a stream with a number that is not its own'],
    ['a stream without a number', [open(0)], 'it opens a stream with a number that is not its own'],
    ['a stream twice', [open(1), open(1)], 'it opens a stream that is open'],
    ['a stream without a window', [encodeFrame(FrameType.open, 1)], 'a stream is opened without a window'],
    ['a stream that says nothing', [open(1, 1, '')], 'a frame that carries JSON has something else'],
    [
      'credit that is no number',
      [open(1), encodeFrame(FrameType.credit, 1, Buffer.alloc(3))],
      'a frame that carries a number has another length',
    ],
    [
      'a stream that says too much',
      [open(1, 1, JSON.stringify('x'.repeat(5000)))],
      'it opens a stream with more than 4096 bytes',
    ],
    ['a ping of its own kind', [encodeFrame(FrameType.ping, 0, Buffer.alloc(9))], 'it sends a ping of another length'],
    ['a routing message that is no JSON', [encodeFrame(FrameType.routing, 0)], 'a frame that carries JSON has something else'],
  ];
  for (const [what, messages, message, greeted] of cases)
    it(what, async (t) => {
      const peer = await peerOf(t, { greeted: greeted ?? true });
      peer.send(...messages);
      const bye = await peer.frame(FrameType.bye);
      assert.deepEqual(decodeJson(bye.body), { code: 'protocol', message });
      assert.deepEqual(peer.events.reason, { code: 'protocol', message });
      await until('the connection to be closed', () => peer.closedWith !== undefined);
    });

  it('a message beyond the limit', async (t) => {
    const peer = await peerOf(t, { maxPayload: 1024 });
    peer.send(Buffer.alloc(2048));
    await until('the end', () => peer.events.reason);
    assert.deepEqual(peer.events.reason, { code: 'protocol', message: 'it sends a message of more than 1024 bytes' });
    assert.equal(await until('the code at the other end', () => peer.closedWith), 1009);
  });

  it('a message beyond the other end’s limit, heard at this end', async (t) => {
    const peer = await peerOf(t, { maxPayload: 1024 });
    peer.link.sendRouting(encodeRouting({ kind: 'offers-request', origins: ['x'.repeat(2048)] }));
    await until('the end', () => peer.events.reason);
    assert.deepEqual(peer.events.reason, {
      code: 'link-lost',
      message: 'the neighbour takes no message of more than 67108864 bytes',
    });
  });

  it('one whose hello is turned away', async (t) => {
    const peer = await peerOf(t, { greeted: false });
    peer.events.hello = () => {
      throw new ProtocolError('it has the same id as this router');
    };
    peer.send(encodeJsonFrame(FrameType.hello, 0, helloOf('peer')));
    const bye = await peer.frame(FrameType.bye);
    assert.deepEqual(decodeJson(bye.body), { code: 'protocol', message: 'it has the same id as this router' });
  });
});

describe('a silent neighbour', () => {
  /** Lets time pass for links that are made after this. */
  function clock(t: TestContext) {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const start = performance.now();
    let passed = 0;
    t.mock.method(performance, 'now', () => start + passed);
    return (ms: number) => {
      passed += ms;
      t.mock.timers.tick(1000);
    };
  }

  it('is given up after a while', async (t) => {
    const pass = clock(t);
    const peer = await peerOf(t);
    await until('the hello', () => peer.events.hellos.length === 1);
    pass(LINK_DEAD_AFTER_MS - 1);
    assert.equal(peer.events.reason, undefined);
    pass(2);
    assert.deepEqual(peer.events.reason, { code: 'link-lost', message: 'nothing arrived for 5 s' });
  });

  it('is given up when it never says who it is, though it lives', async (t) => {
    const pass = clock(t);
    const peer = await peerOf(t, { greeted: false });
    pass(10_001);
    assert.deepEqual(peer.events.reason, { code: 'protocol', message: 'it did not say who it is within 10 s' });
  });

  it('is asked whether it lives, and lives on when it answers', async (t) => {
    const pass = clock(t);
    const peer = await peerOf(t);
    await until('the hello', () => peer.events.hellos.length === 1);
    for (let round = 1; round <= 4; round++) {
      const pings = peer.frames.filter(({ type }) => type === FrameType.ping).length;
      pass(LINK_DEAD_AFTER_MS - 1);
      const ping = await until('a ping', () => peer.frames.filter(({ type }) => type === FrameType.ping)[pings]);
      const before = peer.link.bytesIn;
      peer.send(encodeFrame(FrameType.pong, 0, ping.body));
      await until('the answer', () => peer.link.bytesIn > before);
    }
    assert.equal(peer.events.reason, undefined);
  });
});
