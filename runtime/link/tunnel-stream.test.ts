import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { pipeline } from 'node:stream/promises';
import { describe, it, type TestContext } from 'node:test';
import { until } from '../../test/support/until.ts';
import { bareEnds, ROLES } from './websocket/ends.testkit.ts';
import { patterned, rawFrame } from './websocket/raw-frames.testkit.ts';
import { Opcode } from './websocket/opcodes.ts';
import { MAX_TUNNEL_MESSAGE_BYTES, TunnelStream } from './tunnel-stream.ts';

const NOTHING = Buffer.alloc(0);

/** Both ends of a tunnel: the one that dialled or was dialled, and the other. */
async function ends(t: TestContext, isDialled: boolean): Promise<[near: TunnelStream, far: TunnelStream]> {
  const { socket, head, far } = await bareEnds(t, isDialled);
  const near = new TunnelStream(socket, { dialled: isDialled, head });
  return [near, new TunnelStream(far, { dialled: !isDialled, head: NOTHING })];
}

async function all(stream: TunnelStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

for (const { role, dialled } of ROLES)
  describe(`a tunnel, at its ${role}`, () => {
    it('carries bytes both ways at once, whatever pieces they come in', async (t) => {
      const [near, far] = await ends(t, dialled);
      const [there, back] = [patterned(3 * 1024 * 1024), patterned(2 * 1024 * 1024, 99)];
      const received = Promise.all([all(near), all(far)]);
      for (let at = 0, size = 1; at < there.length; at += size, size = Math.min(size * 3, 500_000))
        near.write(there.subarray(at, at + size));
      near.end();
      far.end(back);
      const [atNear, atFar] = await received;
      assert.ok(atNear.equals(back));
      assert.ok(atFar.equals(there));
    });

    it('ends one way at a time, and is gone when both ways have ended', async (t) => {
      const [near, far] = await ends(t, dialled);
      const closed = Promise.all([once(near, 'close'), once(far, 'close')]);
      const question = all(far);
      near.end('question');
      assert.equal((await question).toString(), 'question');
      const answer = all(near);
      far.write('an ');
      far.end('answer');
      assert.equal((await answer).toString(), 'an answer');
      await closed;
      assert.deepEqual([near.errored, far.errored], [null, null]);
    });

    it('holds up who writes while the other end is slow to read, with little in between', async (t) => {
      const [near, far] = await ends(t, dialled);
      const piece = patterned(1024 * 1024);
      const pieces = 48;
      let [produced, taken, most, waiting] = [0, 0, 0, 0];
      const sent = pipeline(function* () {
        for (; produced < pieces * piece.length; produced += piece.length) yield piece;
      }, near);
      far.end();
      for await (const chunk of far) {
        const { length } = chunk as Buffer;
        taken += length;
        most = Math.max(most, produced - taken);
        waiting = Math.max(waiting, length + far.readableLength);
        // Much arrives meanwhile.
        for (let turn = 0; turn < 20; turn++) await setImmediate();
      }
      await sent;
      assert.equal(taken, pieces * piece.length);
      // The system's buffers take some megabytes.
      assert.ok(most < 32 * piece.length, `${most} bytes were under way`);
      assert.ok(waiting <= 4 * MAX_TUNNEL_MESSAGE_BYTES, `${waiting} bytes waited to be read`);
    });

    it('that is cut says so, in either direction', async (t) => {
      const [near, far] = await ends(t, dialled);
      const failed = once(near, 'error');
      far.destroy();
      const [error] = (await failed) as [NodeJS.ErrnoException];
      assert.deepEqual([error.message, error.code], ['the tunnel was cut', 'ECONNRESET']);
    });

    it('of which the other end is gone for good is still read to its end', async (t) => {
      const { socket, head, far } = await bareEnds(t, dialled);
      const near = new TunnelStream(socket, { dialled, head });
      const mask = dialled ? {} : { mask: 0x01020304 };
      far.end(
        Buffer.concat([
          rawFrame(Opcode.binary, 'the last', mask),
          rawFrame(Opcode.binary, '', mask),
          rawFrame(Opcode.close, '', mask),
        ]),
      );
      await until('the end', () => socket.readableEnded || socket.destroyed);
      assert.equal((await all(near)).toString(), 'the last');
    });

    it('ends at a message larger than any may be, at text, and takes nothing behind the end', async (t) => {
      const mask = dialled ? {} : { mask: 0x01020304 };
      for (const frame of [
        rawFrame(Opcode.binary, patterned(MAX_TUNNEL_MESSAGE_BYTES + 1), mask),
        rawFrame(Opcode.text, 'hello', mask),
      ]) {
        const { socket, head, far } = await bareEnds(t, dialled);
        const near = new TunnelStream(socket, { dialled, head });
        const failed = once(near, 'error');
        far.write(frame);
        const [error] = (await failed) as [Error];
        assert.match(error.message, /^it sends (text|a message of more than 65536 bytes)$/);
      }
      const { socket, head, far } = await bareEnds(t, dialled);
      const near = new TunnelStream(socket, { dialled, head });
      far.write(Buffer.concat(['a', '', 'b'].map((text) => rawFrame(Opcode.binary, text, mask))));
      assert.equal((await all(near)).toString(), 'a');
    });
  });
