import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { constants } from 'node:http2';
import { it } from 'node:test';
import { until } from '../../../test/support/until.ts';
import { Http2Connection } from './connection.ts';
import { field } from './field.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { END_HEADERS, END_STREAM, Frame, frame, GET, RawEnd, uint32 } from './raw-frames.testkit.ts';

const { NGHTTP2_CANCEL } = constants;

it('streams that are closed wait for nothing, though the other end takes no more', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const dialled = RawEnd.dial((server.address() as AddressInfo).port);
  const [socket] = await accepted;
  let closed = 0;
  const connection = new Http2Connection(
    socket,
    true,
    { ...DEFAULT_LIMITS, windowBytes: 65_535, allWindowsBytes: 65_535, streams: 100 },
    {
      stream: (stream) => {
        stream.events = { responded() {}, data() {}, ended() {}, stalled() {}, sent() {}, closed: () => closed++ };
        stream.sendFields([field(':status', '200')], false);
        stream.write(Buffer.alloc(100_000));
      },
      settings() {},
      pinged() {},
      goaway() {},
      closed() {},
    },
  );
  const client = await dialled;
  // The first takes all that the connection may send.
  for (let id = 1; id < 200; id += 2) client.send(frame(Frame.headers, END_HEADERS | END_STREAM, id, GET));
  await until('all to wait', () => connection.streams === 100 && connection.outgoing.waiting >= 99);
  for (let id = 1; id < 200; id += 2) client.send(frame(Frame.reset, 0, id, uint32(NGHTTP2_CANCEL)));
  await until('all to be closed', () => closed === 100);
  assert.equal(connection.outgoing.waiting, 0);
  client.socket.destroy();
  socket.destroy();
  server.close();
});
