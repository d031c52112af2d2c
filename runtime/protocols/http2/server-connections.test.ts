import assert from 'node:assert/strict';
import { type ClientHttp2Session, type ClientHttp2Stream, type ServerHttp2Stream, constants } from 'node:http2';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { dial } from '../../../test/support/tcp.ts';
import { until } from '../../../test/support/until.ts';
import { askHttp2, says } from './ends.testkit.ts';
import { Stage } from './stage.testkit.ts';

const { NGHTTP2_CANCEL } = constants;

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.end());

describe('connections to a server', () => {
  it('are as many as its own limit of requests needs, up to a number; then requests wait, and not for ever', async () => {
    const held: ServerHttp2Stream[] = [];
    const server = await stage.serve((stream) => held.push(stream), { settings: { maxConcurrentStreams: 2 } });
    // Half of eight places are for this client.
    await stage.open([server.port], { sessionsPerServer: 4, waitForServerMs: 300, waitingPerServer: 1 });
    const answers = [];
    for (let at = 1; at <= 4; at++) {
      answers.push(askHttp2(stage.client));
      await until('it at the server', () => held.length === at);
    }
    assert.equal(server.sessions.length, 2);
    // One waits until its time is over, one finds no room to wait, one waits and gets a place.
    const late = askHttp2(stage.client);
    const full = await askHttp2(stage.client);
    assert.match(full.body, /is busy: 1 requests wait for it already/);
    assert.match((await late).body, /is busy: it had no room for a further request within 0\.3 s/);
    const patient = askHttp2(stage.client);
    says('done')(held[0]!, {});
    await until('the next at the server', () => held.length === 5);
    held.slice(1).forEach((stream) => says('done')(stream, {}));
    assert.deepEqual(
      (await Promise.all([...answers, patient])).map(({ body }) => body),
      Array.from({ length: 5 }, () => 'done'),
    );
    assert.equal(server.sessions.length, 2);
  });

  it(
    'are not all used by one client that holds its requests: there is always a place left for another',
    { skip: process.platform === 'darwin' && 'loopback has one address' },
    async () => {
      const held: string[] = [];
      const streams: ServerHttp2Stream[] = [];
      const server = await stage.serve(
        (stream, headers) => {
          held.push(String(headers['x-from']));
          streams.push(stream);
        },
        { settings: { maxConcurrentStreams: 2 } },
      );
      await stage.open([server.port], { sessionsPerServer: 2, waitForServerMs: 60_000, waitingPerServer: 4 });
      const post = (client: ClientHttp2Session, from: string): ClientHttp2Stream => {
        const stream = client.request({ ':method': 'POST', 'x-from': from }, { endStream: false });
        return stream.on('error', () => {});
      };
      for (let at = 0; at < 2; at++) post(stage.client, 'a');
      await until('both at the server', () => held.length === 2);
      // As many as may wait do, for places that are not theirs.
      for (let at = 0; at < 4; at++) post(stage.client, 'a');
      await until('all of them', () => stage.way.busy.size === 6);
      for (const [at, from] of ['b', 'c'].entries()) {
        post(stage.anotherClient(`127.0.0.${at + 2}`), from);
        await until('its place', () => held.length === at + 3);
      }
      assert.deepEqual(held, ['a', 'a', 'b', 'c']);
      assert.equal(server.sessions.length, 2);
      streams[2]!.close();
      streams[0]!.close();
      await until('a further place', () => held.length === 5);
      assert.equal(held[4], 'a');
    },
  );

  it('are not made over and over to a server that has no room at all', async () => {
    const server = await stage.serve(says('never'), { settings: { maxConcurrentStreams: 0 } });
    await stage.open([server.port], { waitForServerMs: 100 });
    assert.match((await askHttp2(stage.client)).body, /is busy: it had no room/);
    assert.equal(server.sessions.length, 1);
  });

  it('are used again when a server makes room', async () => {
    const server = await stage.serve(says('here'), { settings: { maxConcurrentStreams: 0 } });
    await stage.open([server.port]);
    const answer = askHttp2(stage.client);
    await until('the connection', () => server.sessions.length === 1);
    server.sessions[0]!.settings({ maxConcurrentStreams: 10 });
    assert.equal((await answer).body, 'here');
  });

  it('are closed after a time without a request', async () => {
    const server = await stage.serve(says('here'));
    await stage.open([server.port], { serverIdleMs: 50, reviewEveryMs: 20 });
    await askHttp2(stage.client);
    await until('the connection to close', () => server.sockets.size === 0);
    assert.equal((await askHttp2(stage.client)).body, 'here');
  });

  it('take no further requests when they are old, and go on with those that they have', async () => {
    const held: ServerHttp2Stream[] = [];
    const old: number[] = [];
    const server = await stage.serve((stream) => {
      const at = held.push(stream);
      stream.session!.once('goaway', () => old.push(at));
    });
    // Of four there may be one more that is old.
    await stage.open([server.port], { serverAgeMs: 0, sessionsPerServer: 4, reviewEveryMs: 20 });
    const first = askHttp2(stage.client);
    await until('the first to be old', () => old.length === 1);
    const second = askHttp2(stage.client);
    await until('a second connection', () => server.sessions.length === 2 && held.length === 2);
    // The second may not be old yet, and takes more.
    const third = askHttp2(stage.client);
    await until('the third at the server', () => held.length === 3);
    assert.equal(server.sessions.length, 2);
    says('first')(held[0]!, {});
    assert.equal((await first).body, 'first');
    await until('the second to be old, as the first is over', () => old.length > 1);
    for (const stream of held.slice(1)) says('second')(stream, {});
    assert.deepEqual([(await second).body, (await third).body], ['second', 'second']);
    await until('both to be closed', () => server.sockets.size === 0);
  });

  it('are closed when the server is not offered any more', async () => {
    const server = await stage.serve(says('here'));
    await stage.open([server.port], { reviewEveryMs: 20 });
    await askHttp2(stage.client);
    stage.way.ports.length = 0;
    await until('the connection to close', () => server.sockets.size === 0);
  });

  it('are given up when the server does not answer a PING while requests wait for it', async () => {
    const server = await stage.serve((_stream, headers) => {
      if (headers[':path'] === '/freeze') for (const socket of server.sockets) socket.pause();
    });
    const limits = { serverProbeEveryMs: 50, serverProbeWithinMs: 100, reviewEveryMs: 20 };
    // A relay that can stop in between: what a host without power looks like.
    const relay = await stage.serveTcp((socket) => {
      const onward = dial(server.port);
      socket.pipe(onward).pipe(socket);
      void until('the request', () => server.requests.length > 0).then(() => onward.unpipe(socket));
    });
    await stage.open([relay.port], limits);
    const { headers, body } = await askHttp2(stage.client, { ':method': 'POST' }, 'x');
    assert.equal(headers[':status'], 502);
    assert.match(body, /the server does not answer any more/);
  });

  it('are replaced after many requests on them were taken back, so that a server does not punish everybody', async () => {
    const server = await stage.serve((stream, headers) => {
      if (headers[':path'] === '/here') says('here')(stream, headers);
    });
    await stage.open([server.port], { resetsPerServerSession: 3 });
    for (let at = 1; at <= 3; at++) {
      const stream = stage.client.request({ ':method': 'POST' });
      stream.on('error', () => {});
      await until('the server to see it', () => server.requests.length === at);
      stream.close(NGHTTP2_CANCEL);
    }
    await until('a new connection', async () => {
      assert.equal((await askHttp2(stage.client, { ':path': '/here' })).body, 'here');
      return server.sessions.length === 2;
    });
    await until('the worn one to close', () => server.sockets.size === 1);
  });
});
