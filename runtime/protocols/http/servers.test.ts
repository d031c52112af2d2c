import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { until } from '../../../test/support/until.ts';
import { StreamError } from '../../link/reason.ts';
import { answering, connections, stageForEach } from './stage.testkit.ts';

const stage = stageForEach();

describe('where a server fails', () => {
  /** Takes a request, and ends the connection without an answer. */
  const breaking = (socket: Socket) => void socket.once('data', () => socket.destroy());

  it('to take a connection, another one answers', async () => {
    await stage.listen();
    stage.way.servers.push({ site: 'east', port: 1, refuses: new StreamError({ code: 'refused', message: 'it is full' }) });
    await stage.serve('west', (_, answer) => answer.end('west'));
    for (let count = 0; count < 4; count++) assert.equal((await stage.ask('/', { method: 'POST' }, 'x')).body, 'west');
  });

  it('before it answered, another one gets the whole request again', async () => {
    await stage.listen();
    await stage.serveRaw('east', breaking);
    await stage.serve('west', (asked, answer) => asked.pipe(answer));
    for (let count = 0; count < 4; count++) assert.equal((await stage.ask('/', { method: 'PUT' }, 'body')).body, 'body');
  });

  it('before it answered, a request that may not be repeated is told so', async () => {
    await stage.listen();
    await stage.serveRaw('east', breaking);
    let count = 0;
    await stage.serve('west', (_, answer) => {
      count++;
      answer.end();
    });
    const { status, body, headers } = await stage.ask('/', { method: 'POST' }, 'x');
    assert.equal(count, 0);
    assert.equal(status, 502);
    assert.equal(body, 'backend: east did not answer: it closed the connection\n');
    assert.match(headers['content-type']!, /^text\/plain/);
    assert.equal((await stage.ask('/', { method: 'POST' }, 'x')).status, 200, 'the connection goes on');
    assert.equal(stage.way.clients, 1);
  });

  it('with more of a body than is kept, the request is not repeated', async () => {
    await stage.listen({ replayBytes: 1000 });
    await stage.serveRaw('east', (socket) => {
      let count = 0;
      socket.on('data', (chunk) => {
        count += chunk.length;
        if (count > 2000) socket.destroy();
      });
    });
    await stage.serve('west', (_, answer) => answer.end('west'));
    const { status } = await stage.ask('/', { method: 'PUT' }, 'x'.repeat(2000));
    assert.equal(status, 502);
  });

  it('again and again, a request that breaks servers does not meet them all', async () => {
    await stage.listen();
    for (let count = 0; count < 5; count++) await stage.serveRaw(`site-${count}`, breaking);
    assert.equal((await stage.ask()).status, 502);
    assert.equal(stage.way.given, 3);
  });

  it('that was asked before, while nobody asked, a new connection is made', async () => {
    await stage.listen();
    const server = await stage.serveRaw('west', answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    assert.equal((await stage.ask()).body, 'ok');
    // The next request gets there, and so does the end of the connection.
    for (const socket of server.sockets) socket.removeAllListeners('data').once('data', () => socket.destroy());
    assert.equal((await stage.ask()).body, 'ok');
    assert.equal(stage.way.connects, 2);
    assert.equal(stage.way.given, 2, 'it is the same server still');
  });

  it('in the middle of its answer, the client sees that', async () => {
    await stage.listen();
    await stage.serveRaw('west', (socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf', () => socket.destroy());
      });
    });
    await assert.rejects(stage.ask(), { code: 'ECONNRESET' });
  });

  it('and nobody is there, the client is told so', async () => {
    await stage.listen();
    const { status, body } = await stage.ask();
    assert.equal(status, 503);
    assert.equal(body, 'backend: no server is there\n');
  });

  it('and all refuse, the client is told why the last one did', async () => {
    await stage.listen();
    for (const site of ['east', 'west'])
      stage.way.servers.push({ site, port: 1, refuses: new StreamError({ code: 'link-lost', message: 'the link was lost' }) });
    const { status, body } = await stage.ask();
    assert.equal(status, 503);
    assert.equal(body, 'backend: west did not answer: the link was lost\n');
  });

  it('to answer in time, the client is told so', async () => {
    await stage.listen();
    stage.way.servers.push({
      site: 'west',
      port: 1,
      refuses: new StreamError({ code: 'timeout', message: 'there was no answer (15 s)' }),
    });
    const { status, body } = await stage.ask();
    assert.equal(status, 504);
    assert.equal(body, 'backend: west did not answer: there was no answer (15 s)\n');
  });
});

describe('connections to servers', () => {
  it('that were idle for long are not used for what must not be sent twice', async () => {
    await stage.listen({ freshWithinMs: -1 });
    await stage.serve('west', (_, answer) => answer.end());
    await stage.ask();
    await stage.ask();
    assert.equal(stage.way.connects, 1);
    await stage.ask('/', { method: 'POST' });
    assert.equal(stage.way.connects, 2);
  });

  it('are closed when they were idle for too long', async () => {
    await stage.listen({ serverIdleMs: 50 });
    const server = await stage.serveRaw('west', answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    await stage.ask();
    await until('its end', () => [...server.sockets].every(({ readableEnded }) => readableEnded));
  });

  it('are closed when they are old, however busy they are: the way to the server may have changed', async () => {
    await stage.listen({ serverAgeMs: 0 });
    const server = await stage.serve('west', (_, answer) => answer.end());
    for (let count = 1; count <= 3; count++) {
      await stage.ask();
      assert.equal(stage.way.connects, count);
    }
    await until('all of them to be closed', async () => (await connections(server)) === 0);
  });

  it('are closed when the server is not offered any more', async () => {
    await stage.listen();
    const east = await stage.serveRaw('east', answering('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\neast'));
    const west = await stage.serveRaw('west', answering('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwest'));
    for (const body of ['east', 'west']) assert.equal((await stage.ask()).body, body);
    stage.way.servers.shift();
    await until('the end of the one to the east', () => [...east.sockets].every(({ readableEnded }) => readableEnded));
    assert.equal((await stage.ask()).body, 'west');
    assert.deepEqual([stage.way.connects, [...west.sockets].some(({ readableEnded }) => readableEnded)], [2, false]);
  });

  it('are not used any more when the server is about to close them', async () => {
    await stage.listen();
    await stage.serveRaw('west', answering('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok'));
    const { headers } = await stage.ask();
    assert.equal(headers['keep-alive'], undefined);
    await stage.ask();
    assert.equal(stage.way.connects, 2);
  });

  it('are kept in a bounded number', async () => {
    await stage.listen({ idlePerServer: 2 });
    const held: (() => void)[] = [];
    const server = await stage.serve('west', (_, answer) => void held.push(() => answer.end()));
    const many = new Agent({ keepAlive: true });
    stage.ends.push(() => many.destroy());
    const answers = Array.from({ length: 5 }, () => stage.ask('/', { agent: many }));
    await until('all of them', () => held.length === 5);
    for (const answer of held) answer();
    await Promise.all(answers);
    await until('three to go', async () => (await connections(server)) === 2);
  });
});
