import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { until } from '../../test/support/until.ts';
import { INITIAL_WINDOW_BYTES } from '../link/credit.ts';
import type { LinkStream } from '../link/link-stream.ts';
import type { Link } from '../link/link.ts';
import { routerAt } from '../routing/types.ts';
import { RouterMesh } from './router-mesh.testkit.ts';
import type { Router } from './router.ts';

const MIB = 1024 * 1024;
let mesh: RouterMesh;
/** b — hub — a, hub — c, and the edge d on c. */
let a: Router, b: Router, c: Router, d: Router, hub: Router;
let shared: Link;
let toA: [Link, Link];

beforeEach(async () => {
  mesh = new RouterMesh();
  [a, b, c, hub] = ['a', 'b', 'c', 'hub'].map((name) => mesh.add(name)) as [Router, Router, Router, Router];
  d = mesh.add('d', { role: 'edge' });
  [shared] = await mesh.link(b, hub);
  toA = await mesh.link(hub, a);
  await mesh.link(hub, c);
  await mesh.link(d, c);
  await mesh.settle();
});
afterEach(() => mesh.stop());

const D = { router: 'c', edge: 'd' };

/** What a router takes on the channel `test`: whole streams, in the order of their ends. */
function takes(router: Router): { streams: LinkStream[]; received: Buffer[] } {
  const taken = { streams: [] as LinkStream[], received: [] as Buffer[] };
  router.channels.handle('test', (stream) => {
    taken.streams.push(stream);
    stream.end();
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => taken.received.push(Buffer.concat(chunks)));
  });
  return taken;
}

describe('a multicast channel', () => {
  it('comes whole to every member, this router and an edge among them, and once over the link that they share', async () => {
    const members = [a, b, c, d].map(takes);
    const before = shared.bytesOut;
    const stream = await b.channels.openMulticast([{ router: 'a' }, { router: 'b' }, { router: 'c' }, D], 'test', 'mc/news');
    const payload = randomBytes(4 * MIB);
    stream.end(payload);
    await until('every copy', () => members.every(({ received }) => received.length === 1));
    for (const { received } of members) assert.ok(received[0]!.equals(payload));
    const sent = shared.bytesOut - before;
    assert.ok(sent < 1.1 * payload.length, `${sent} bytes passed the shared link for ${payload.length}`);
    await until('no stream to be left', () => [a, b, c, d, hub].every(({ streams }) => streams === 0));
  });

  it('waits for the slowest member, with no more than a window in between', async () => {
    takes(a);
    let slow: LinkStream | undefined;
    c.channels.handle('test', (stream) => (slow = stream));
    const stream = await b.channels.openMulticast([{ router: 'a' }, { router: 'c' }], 'test', 'mc/news');
    let written = 0;
    const fill = () => {
      let hasRoom = true;
      for (; hasRoom && written < 64 * MIB; written += MIB) hasRoom = stream.write(Buffer.alloc(MIB));
      stream.once('drain', fill);
    };
    fill();
    await until('the writer to stall', async () => {
      const before = written;
      await new Promise((resolve) => {
        setTimeout(resolve, 200);
      });
      return written === before && slow !== undefined;
    });
    assert.ok(written <= 4 * INITIAL_WINDOW_BYTES, `${written} bytes were taken though one member reads nothing`);
    slow!.resume();
    await until('it to go on', () => written > 8 * MIB);
    stream.destroy();
  });

  it('goes on for the others when a member is lost, and says which', async () => {
    const [takenA, takenC] = [takes(a), takes(c)];
    const stream = await b.channels.openMulticast([{ router: 'a' }, { router: 'c' }], 'test', 'mc/news');
    stream.write('before');
    await until('both', () => takenA.streams.length === 1 && takenC.streams.length === 1);
    toA[0].close({ code: 'closing', message: 'cut' });
    await until('the loss', () => stream.lostMembers.length > 0);
    assert.deepEqual(stream.lostMembers, [{ router: 'a' }]);
    stream.end(' after');
    await until('the other', () => takenC.received.length === 1);
    assert.equal(takenC.received[0]!.toString(), 'before after');
  });

  it('says at once who cannot be reached, and is refused where nobody can', async () => {
    takes(a);
    const stream = await b.channels.openMulticast([{ router: 'a' }, { router: 'nobody' }], 'test', 'mc/news');
    await until('the loss', () => stream.lostMembers.length > 0);
    assert.deepEqual(stream.lostMembers, [{ router: 'nobody' }]);
    stream.destroy();
    await assert.rejects(b.channels.openMulticast([{ router: 'nobody' }], 'test', 'x'), { code: 'unreachable' });
  });

  it('ends with an error when its last member is lost', async () => {
    takes(a);
    const stream = await b.channels.openMulticast([{ router: 'a' }], 'test', 'mc/news');
    const lost = new Promise<Error>((resolve) => {
      stream.once('error', resolve);
    });
    toA[0].close({ code: 'closing', message: 'cut' });
    assert.match((await lost).message, /cut/);
  });

  it('tells the members that it was broken off', async () => {
    const taken = takes(a);
    const stream = await b.channels.openMulticast([{ router: 'a' }], 'test', 'mc/news');
    stream.write('half of');
    await until('it to arrive', () => taken.streams.length === 1);
    stream.destroy(new Error('the sender has gone'));
    await until('the member to hear', () => taken.streams[0]!.destroyed);
    assert.equal(taken.received.length, 0);
  });
});

describe('a channel to one router', () => {
  it('goes there and back, through others and to an edge', async () => {
    for (const place of [{ router: 'a' }, D, { router: 'b' }]) {
      const router = [a, b, d].find(({ info }) => info.id === routerAt(place))!;
      router.channels.handle('echo', (stream, address) => {
        stream.write(`${address}: `);
        stream.pipe(stream);
      });
      const stream = await b.channels.open(place, 'echo', 'orders');
      const answer: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => answer.push(chunk));
      stream.end('hello');
      await new Promise((resolve) => {
        stream.once('end', resolve);
      });
      assert.equal(Buffer.concat(answer).toString(), 'orders: hello');
    }
  });

  it('is refused where it takes more to say where it goes than a neighbour takes, and the link stays', async () => {
    const message = 'where the stream goes, and for whom, takes more than 4096 bytes';
    await assert.rejects(b.channels.open({ router: 'a' }, 'test', 'x'.repeat(5000)), { code: 'refused', message });
    await assert.rejects(b.channels.openMulticast([{ router: 'a' }], 'test', 'x'.repeat(5000)), { code: 'refused', message });
    await assert.rejects(b.channels.open({ router: 'a' }, 'unknown', 'x'.repeat(3900)), { message: 'a does not speak unknown' });
    assert.deepEqual([b.streams, shared.streams], [0, 0]);
  });

  it('is refused where the router does not speak it', async () => {
    await assert.rejects(b.channels.open({ router: 'a' }, 'unknown', 'x'), {
      code: 'refused',
      message: 'a does not speak unknown',
    });
  });
});
