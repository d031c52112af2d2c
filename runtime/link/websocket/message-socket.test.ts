import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { WebSocket } from 'ws';
import { received } from '../../../test/support/tcp.ts';
import { until } from '../../../test/support/until.ts';
import { againstWs, type BareEnd, bareEnds, Recorder, ROLES, WsEnd } from './ends.testkit.ts';
import { MessageSocket } from './message-socket.ts';
import { CloseCode, Opcode } from './opcodes.ts';
import { brief, patterned, rawFrame } from './raw-frames.testkit.ts';

const MIB = 1024 * 1024;
/** More than the system takes of what nobody reads. */
const MUCH = 64 * MIB;
const SIZES = [0, 1, 125, 126, 5 * 1024, 65_535, 65_536, 300_000, 2];

interface OwnEnd {
  near: MessageSocket;
  events: Recorder;
}

function ownEnd({ socket, head }: BareEnd, dialled: boolean, maxMessageBytes = MIB): OwnEnd {
  return { near: new MessageSocket(socket, { dialled, head, maxMessageBytes }), events: new Recorder() };
}

/** An own end that has started, and the library. */
async function againstLibrary(t: TestContext, dialled: boolean): Promise<OwnEnd & { socket: Socket; ws: WebSocket; far: WsEnd }> {
  const { ws, ...bare } = await againstWs(t, dialled);
  const own = ownEnd(bare, dialled);
  own.near.start(own.events);
  return { ...own, socket: bare.socket, ws, far: new WsEnd(ws) };
}

/** An own end that has started, and a bare connection. */
async function againstBare(t: TestContext, dialled: boolean): Promise<OwnEnd & { socket: Socket; far: Socket }> {
  const { far, ...bare } = await bareEnds(t, dialled);
  const own = ownEnd(bare, dialled);
  own.near.start(own.events);
  return { ...own, socket: bare.socket, far };
}

function gone(socket: Socket): Promise<unknown> {
  return until('the connection to be gone', () => socket.closed);
}

for (const { role, dialled } of ROLES) {
  /** What the other end has to mask its frames with. */
  const key = dialled ? {} : { mask: 0x01020304 };
  /** The own mask. */
  const ownKey = dialled ? { mask: 0 } : {};

  describe(`a WebSocket, as a ${role},`, () => {
    it('carries messages of all sizes both ways, in order', async (t) => {
      const { near, events, ws, far } = await againstLibrary(t, dialled);
      const messages = SIZES.map((size, at) => patterned(size, at));
      for (const message of messages) {
        near.send(message);
        ws.send(message);
      }
      near.flush();
      await until('all of them', () => far.messages.length + events.messages.length === 2 * messages.length);
      assert.deepEqual(far.messages, messages.map(brief));
      assert.deepEqual(events.messages, messages.map(brief));
    });

    it('answers one message after another', async (t) => {
      const { near, events, ws, far } = await againstLibrary(t, dialled);
      events.message = (message) => {
        near.send(Buffer.concat([Buffer.from('re: '), message]));
        near.flush();
      };
      for (let at = 0; at < 5; at++) {
        ws.send(Buffer.from(`question ${at}`));
        await until('an answer', () => far.messages.length === at + 1);
        assert.equal(far.messages.at(-1), `re: question ${at}`);
      }
    });

    it('sends nothing before it is flushed, and with the next ping', async (t) => {
      const { near, ws, far } = await againstLibrary(t, dialled);
      near.send(Buffer.from('gathered'));
      assert.ok(near.waiting > 0);
      ws.ping('one');
      await until('the pong', () => far.pongs.length === 1);
      assert.deepEqual(far.messages, ['gathered']);
      assert.equal(near.waiting, 0);
    });

    it('answers pings with what is in them, also between the fragments of a message', async (t) => {
      const { events, ws, far } = await againstLibrary(t, dialled);
      ws.ping('');
      ws.send(Buffer.from('half'), { fin: false });
      ws.ping('x'.repeat(125));
      ws.send(Buffer.from('way'));
      ws.pong('nobody asked');
      ws.ping('last');
      await until('the pongs', () => far.pongs.length === 3);
      assert.deepEqual(far.pongs, ['', 'x'.repeat(125), 'last']);
      assert.deepEqual(events.messages, ['halfway']);
    });

    it('knows when it heard the last', async (t) => {
      const { near, ws, far } = await againstLibrary(t, dialled);
      const before = performance.now();
      assert.ok(near.heardAt <= before);
      ws.ping('x');
      await until('the pong', () => far.pongs.length === 1);
      assert.ok(near.heardAt >= before && near.heardAt <= performance.now());
    });

    it('says what waits, and when there is room again', async (t) => {
      const { near, events, ws, far } = await againstLibrary(t, dialled);
      ws.pause();
      const message = Buffer.alloc(MIB);
      for (let at = 0; at < MUCH / MIB; at++) near.send(message);
      assert.ok(near.waiting > MUCH);
      near.flush();
      near.send(Buffer.from('the last'));
      assert.ok(near.waiting > 0);
      assert.equal(events.drains, 0);
      ws.resume();
      await until('room', () => events.drains > 0);
      near.flush();
      await until('all of it', () => far.messages.at(-1) === 'the last');
      assert.equal(far.messages.length, MUCH / MIB + 1);
      assert.equal(near.waiting, 0);
    });

    it('reads nothing before its start, and then what came behind the upgrade first', async (t) => {
      const { far, socket, head } = await bareEnds(t, dialled);
      const [first, second] = [rawFrame(Opcode.binary, 'first', key), rawFrame(Opcode.binary, 'second', key)];
      far.write(Buffer.concat([first.subarray(4), second]));
      await until('it to arrive', () => socket.readableLength > 0);
      const { near, events } = ownEnd({ socket, head: Buffer.concat([head, first.subarray(0, 4)]) }, dialled);
      near.start(events);
      assert.deepEqual(events.messages, []);
      await until('both', () => events.messages.length === 2);
      assert.deepEqual(events.messages, ['first', 'second']);
    });

    it('begins to read where its connection was held back until then', async (t) => {
      const { far, ...bare } = await bareEnds(t, dialled);
      bare.socket.pause();
      const { near, events } = ownEnd(bare, dialled);
      near.start(events);
      far.write(rawFrame(Opcode.binary, 'hello', key));
      await until('it to be read', () => events.messages.length === 1);
    });

    describe('that the other end closes', () => {
      const cases: [what: string, args: [code?: number, message?: string], heard: [number | undefined, string]][] = [
        ['with a code and why', [4321, 'enough of this'], [4321, 'enough of this']],
        ['with a code', [1001], [1001, '']],
        ['without a code', [], [undefined, '']],
      ];
      for (const [what, args, heard] of cases) {
        it(`${what} tells it, and says goodbye`, async (t) => {
          const { near, events, socket, ws, far } = await againstLibrary(t, dialled);
          near.send(Buffer.from('gathered'));
          ws.send(Buffer.from('before'));
          ws.close(...args);
          await until('it to be told', () => events.closings.length > 0 && far.closed);
          await gone(socket);
          assert.deepEqual(events.closings, [heard]);
          assert.deepEqual(events.messages, ['before']);
          assert.deepEqual(far.closed, [1000, '']);
          assert.deepEqual(far.messages, ['gathered']);
        });
      }

      it('reads nothing behind that, and is gone also where the other end stays', async (t) => {
        const { events, socket, far } = await againstBare(t, dialled);
        const close = rawFrame(Opcode.close, Buffer.of(0x0f, 0xa0), key);
        const bytes = received(far);
        far.write(Buffer.concat([close, rawFrame(Opcode.binary, 'x', key), close, rawFrame(Opcode.text, 'x', key)]));
        await gone(socket);
        assert.deepEqual(events.closings, [[4000, '']]);
        assert.deepEqual([events.messages, events.errors], [[], []]);
        assert.deepEqual(await bytes, rawFrame(Opcode.close, Buffer.of(3, 232), ownKey));
      });

      it('with too short a body has no code', async (t) => {
        const { events, socket, far } = await againstBare(t, dialled);
        far.write(rawFrame(Opcode.close, Buffer.of(3), key));
        await gone(socket);
        assert.deepEqual(events.closings, [[undefined, '']]);
      });
    });

    describe('that it closes', () => {
      it('tells the other end the code, behind all that it sent', async (t) => {
        for (const code of Object.values(CloseCode)) {
          const { near, events, socket, far } = await againstLibrary(t, dialled);
          for (const size of SIZES) near.send(Buffer.alloc(size));
          near.close(code);
          await until('the close', () => far.closed);
          await gone(socket);
          assert.deepEqual(far.closed, [code, '']);
          assert.equal(far.messages.length, SIZES.length);
          // It knows.
          assert.deepEqual(events.closings, []);
        }
      });

      it('says so once, and sends nothing more', async (t) => {
        const { near, socket, far } = await againstBare(t, dialled);
        const bytes = received(far);
        near.send(Buffer.from('before'));
        near.close(CloseCode.tooLarge);
        near.send(Buffer.from('behind'));
        near.flush();
        near.close();
        // It has ended, and nothing was written behind its end: the other end may still take all of it.
        assert.deepEqual([socket.writableEnded, socket.destroyed], [true, false]);
        const close = rawFrame(Opcode.close, Buffer.of(1009 >> 8, 1009 & 0xff), ownKey);
        assert.deepEqual(await bytes, Buffer.concat([rawFrame(Opcode.binary, 'before', ownKey), close]));
      });

      it('reads nothing more, also of what it is in the middle of', async (t) => {
        const { near, events, socket, far } = await againstBare(t, dialled);
        const message = rawFrame(Opcode.binary, 'a message', key);
        const read = socket.bytesRead;
        far.write(message.subarray(0, -3));
        await until('most of it', () => socket.bytesRead === read + message.length - 3);
        near.close();
        far.end(Buffer.concat([message.subarray(-3), rawFrame(Opcode.ping, 'x', key), message, rawFrame(Opcode.close, '', key)]));
        await gone(socket);
        assert.deepEqual([events.messages, events.closings, events.errors], [[], [], []]);
      });

      it('while the other end does so too, is closed for both', async (t) => {
        const { near, events, socket, ws, far } = await againstLibrary(t, dialled);
        ws.close(4001);
        near.close();
        await until('the close', () => far.closed);
        await gone(socket);
        assert.deepEqual(far.closed, [1000, '']);
        assert.deepEqual(events.closings, []);
      });

      it('is cut off where the other end never answers', async (t) => {
        const { near, events, socket, far } = await againstBare(t, dialled);
        far.resume();
        near.close();
        await gone(socket);
        assert.equal(far.writable, true);
        assert.deepEqual(events.closings, []);
      });

      it('is cut off where the other end does not read', async (t) => {
        const { near, socket, far } = await againstBare(t, dialled);
        far.pause();
        near.send(Buffer.alloc(MUCH));
        near.close();
        await gone(socket);
        assert.equal(far.writable, true);
      });

      it('without a word is lost for the other end', async (t) => {
        const { near, events, socket, far } = await againstLibrary(t, dialled);
        near.send(Buffer.from('never sent'));
        near.destroy();
        await until('the loss', () => far.closed);
        await gone(socket);
        assert.deepEqual([far.closed, far.messages, events.closings], [[1006, ''], [], []]);
      });

      for (const how of ['close', 'destroy'] as const) {
        it(`(${how}) by a message reads nothing behind that`, async (t) => {
          const { near, events, socket, far } = await againstBare(t, dialled);
          const seen: string[] = [];
          events.message = (message) => {
            seen.push(message.toString());
            near[how]();
          };
          // In one chunk, or else the case is an easier one.
          far.write(Buffer.concat(['first', 'second', 'third'].map((each) => rawFrame(Opcode.binary, each, key))));
          await gone(socket);
          assert.deepEqual([seen, events.closings], [['first'], []]);
        });
      }
    });

    describe('that is lost', () => {
      it('because the other end is gone, tells it once', async (t) => {
        const { events, socket, ws } = await againstLibrary(t, dialled);
        ws.terminate();
        await until('the loss', () => events.closings.length > 0);
        await gone(socket);
        assert.deepEqual(events.closings, [[undefined, '']]);
      });

      it('because the connection was reset, tells why', async (t) => {
        const { events, socket, far } = await againstBare(t, dialled);
        far.resetAndDestroy();
        await gone(socket);
        assert.deepEqual(events.closings, [[undefined, 'read ECONNRESET']]);
      });

      it('because the other end ends without closing it, tells it, and is gone although that end stays', async (t) => {
        const { events, socket, far } = await againstBare(t, dialled);
        far.end(rawFrame(Opcode.binary, 'the last', key));
        await gone(socket);
        assert.deepEqual(events.closings, [[undefined, '']]);
        assert.deepEqual(events.messages, ['the last']);
      });

      it('writes nothing behind its end, though something was gathered', async (t) => {
        const { near, events, socket, far } = await againstBare(t, dialled);
        const errors: Error[] = [];
        socket.on('error', (error) => errors.push(error));
        near.send(Buffer.from('gathered'));
        far.end();
        await until('the end to be told', () => events.closings.length > 0);
        near.flush();
        await gone(socket);
        assert.deepEqual(errors, []);
      });

      it('in the middle of a message, tells nothing of that', async (t) => {
        const { events, socket, far } = await againstBare(t, dialled);
        far.end(rawFrame(Opcode.binary, 'the last', key).subarray(0, -1));
        await gone(socket);
        assert.deepEqual([events.closings, events.messages], [[[undefined, '']], []]);
      });
    });

    describe('before its start', () => {
      it('closed by the other end, tells it then', async (t) => {
        const { ws, ...bare } = await againstWs(t, dialled);
        const { near, events } = ownEnd(bare, dialled);
        ws.send(Buffer.from('before'));
        ws.close(4000, 'early');
        const [message, close] = [rawFrame(Opcode.binary, 'before', key), rawFrame(Opcode.close, '..early', key)];
        await until('both to arrive', () => bare.socket.readableLength === message.length + close.length);
        near.start(events);
        await gone(bare.socket);
        assert.deepEqual([events.messages, events.closings], [['before'], [[4000, 'early']]]);
      });

      it('ended by the other end, tells it then', async (t) => {
        const { far, ...bare } = await bareEnds(t, dialled);
        const { near, events } = ownEnd(bare, dialled);
        far.end();
        await until('the end to arrive', () => bare.socket.readableEnded);
        near.start(events);
        await until('it to be told', () => events.closings.length > 0, { timeoutMs: 10_000 });
        await gone(bare.socket);
        assert.deepEqual(events.closings, [[undefined, '']]);
      });

      it('ended by the other end behind a message, tells both then', async (t) => {
        const { far, ...bare } = await bareEnds(t, dialled);
        const { near, events } = ownEnd(bare, dialled);
        far.end(rawFrame(Opcode.binary, 'the last', key));
        await until('it to arrive', () => bare.socket.readableLength > 0);
        near.start(events);
        await gone(bare.socket);
        assert.deepEqual([events.messages, events.closings], [['the last'], [[undefined, '']]]);
      });

      it('lost, tells it then, and why', async (t) => {
        const { far, ...bare } = await bareEnds(t, dialled);
        const { near, events } = ownEnd(bare, dialled);
        far.resetAndDestroy();
        await gone(bare.socket);
        near.start(events);
        assert.deepEqual(events.closings, []);
        await until('it to be told', () => events.closings.length > 0);
        assert.deepEqual(events.closings, [[undefined, 'read ECONNRESET']]);
      });

      for (const [when, isLater] of [
        ['at once', false],
        ['when the other end has heard that', true],
      ] as const) {
        it(`closed by itself, it tells nothing, where it starts ${when}`, async (t) => {
          const { ws, ...bare } = await againstWs(t, dialled);
          const { near, events } = ownEnd(bare, dialled);
          const far = new WsEnd(ws);
          near.send(Buffer.from('before'));
          near.close(CloseCode.protocolError);
          if (!isLater) near.start(events);
          await until('the close', () => far.closed);
          if (isLater) near.start(events);
          await gone(bare.socket);
          assert.deepEqual([far.messages, far.closed], [['before'], [1002, '']]);
          assert.deepEqual(events.closings, []);
        });
      }

      it('closed by itself and never started, it is gone', async (t) => {
        const { far, ...bare } = await bareEnds(t, dialled);
        const { near } = ownEnd(bare, dialled);
        far.write(rawFrame(Opcode.binary, Buffer.alloc(100_000), key));
        near.close();
        await gone(bare.socket);
      });

      it('cut off by itself, it tells nothing', async (t) => {
        const { ws, ...bare } = await againstWs(t, dialled);
        const { near, events } = ownEnd(bare, dialled);
        near.destroy();
        near.start(events);
        await gone(bare.socket);
        const far = new WsEnd(ws);
        await until('the loss', () => far.closed ?? ws.readyState === ws.CLOSED);
        assert.deepEqual(events.closings, []);
      });
    });

    describe('whose other end breaks the protocol', () => {
      const cases: [what: string, send: (ws: WebSocket) => void, code: CloseCode, message: string][] = [
        ['with text', (ws) => ws.send('hello'), 1003, 'it sends text'],
        [
          'with too large a message',
          (ws) => ws.send(Buffer.alloc(MIB + 1)),
          1009,
          'it sends a message of more than 1048576 bytes',
        ],
        [
          'with a wrong mask',
          (ws) => ws.send(Buffer.from('x'), { mask: dialled }),
          1002,
          `it sends a WebSocket frame that is ${dialled ? 'masked by a server' : 'not masked by a client'}`,
        ],
      ];
      for (const [what, send, code, message] of cases) {
        it(`${what} is told of it once, and can say why it closes`, async (t) => {
          const { near, events, ws, far } = await againstLibrary(t, dialled);
          ws.send(Buffer.from('good'));
          send(ws);
          ws.send(Buffer.from('not read any more'));
          ws.ping('not answered any more');
          await until('the error', () => events.errors.length > 0);
          near.close(events.errors[0]!.closeCode);
          await until('the close', () => far.closed);
          assert.deepEqual(far.closed, [code, '']);
          assert.deepEqual(
            events.errors.map((error) => [error.closeCode, error.message]),
            [[code, message]],
          );
          assert.deepEqual([events.messages, events.closings, far.pongs], [['good'], [], []]);
        });
      }

      it('reads nothing more, also when it is not closed', async (t) => {
        const { events, socket, far } = await againstBare(t, dialled);
        far.write(rawFrame(Opcode.binary, 'x', { ...key, bits: 0x40 }));
        await until('the error', () => events.errors.length > 0);
        far.end(
          Buffer.concat([rawFrame(Opcode.binary, 'x', key), rawFrame(Opcode.text, 'x', key), rawFrame(Opcode.close, '', key)]),
        );
        await gone(socket);
        assert.deepEqual([events.messages.length, events.errors.length, events.closings], [0, 1, [[undefined, '']]]);
      });
    });

    it('gathers no answers for one that asks and does not read', async (t) => {
      const { near, events, ws, far } = await againstLibrary(t, dialled);
      ws.pause();
      near.send(Buffer.alloc(MUCH));
      near.flush();
      const before = near.waiting;
      assert.ok(before > MIB);
      for (let left = 2000; left > 0; left--) ws.ping('x'.repeat(125));
      ws.send(Buffer.from('asked'));
      await until('all pings to be read', () => events.messages.length === 1);
      assert.ok(near.waiting <= before);
      ws.resume();
      await until('it to be read', () => far.messages.length === 1);
      assert.deepEqual(far.pongs, []);
      // Whoever reads again is answered again.
      ws.ping('now');
      await until('a pong', () => far.pongs.length > 0);
      assert.deepEqual(far.pongs, ['now']);
    });
  });
}

it('two ends of the same make understand one another', async (t) => {
  const { far, ...bare } = await bareEnds(t, true);
  const [dialled, accepted] = [ownEnd(bare, true), ownEnd({ socket: far, head: Buffer.alloc(0) }, false)];
  const messages = SIZES.map((size, at) => patterned(size, at));
  for (const { near, events } of [dialled, accepted]) {
    near.start(events);
    for (const message of messages) near.send(message);
    near.flush();
  }
  const all = () => dialled.events.messages.length + accepted.events.messages.length === 2 * messages.length;
  await until('all of them', all);
  assert.deepEqual(dialled.events.messages, messages.map(brief));
  assert.deepEqual(accepted.events.messages, messages.map(brief));
  dialled.near.close(CloseCode.tooLarge);
  await gone(bare.socket);
  await gone(far);
  assert.deepEqual([dialled.events.closings, accepted.events.closings], [[], [[1009, '']]]);
});
