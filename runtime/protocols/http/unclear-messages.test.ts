import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dial } from '../../../test/support/tcp.ts';
import { until } from '../../../test/support/until.ts';
import { answering, heard, stageForEach } from './stage.testkit.ts';

const stage = stageForEach();

describe('a request that is not clear', () => {
  for (const [what, bytes, status] of [
    ['with two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
    ['that is too long', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`, 431],
    ['of another version', 'GET / HTTP/3.0\r\nHost: a\r\n\r\n', 505],
  ] as const)
    it(`${what} is refused, reaches nobody, and ends the connection`, async () => {
      await stage.listen();
      await stage.serve('west', (_, answer) => answer.end());
      const said = await stage.exchange(`${bytes}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`);
      assert.match(said, new RegExp(`^HTTP/1.1 ${status} [^]*Connection: close\r\n\r\nbackend: the request .*\n$`));
      assert.equal(stage.way.given, 0);
    });

  it('in the middle of its body is taken back from the server', async () => {
    await stage.listen();
    const server = await stage.serveRaw('west', (socket) => socket.resume());
    const socket = dial(stage.listener.port);
    const said = heard(socket, () => false);
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n');
    await until('the server', () => server.sockets.size === 1);
    socket.write('nonsense\r\n');
    assert.match(await said, /^HTTP\/1\.1 400 /);
    await until('the server to be left', () => server.sockets.size === 0);
  });
});

it('a request that is not clear any more, while its answer is under stage.way, ends that with a reset', async () => {
  await stage.listen();
  await stage.serve('west', (asked, answer) => {
    answer.on('error', () => {});
    asked.on('error', () => {}).once('data', () => answer.write('begun'));
  });
  const socket = dial(stage.listener.port);
  let said = '';
  socket.on('data', (chunk) => (said += chunk.toString()));
  const reset = new Promise<string | undefined>((resolve) => {
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code)).once('end', () => resolve(undefined));
  });
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n');
  await until('the answer to begin', () => said.includes('begun'));
  socket.write('nonsense\r\n');
  assert.equal(await reset, 'ECONNRESET');
  assert.doesNotMatch(said, /HTTP\/1\.1 400/);
});

describe('an answer that is not clear', () => {
  for (const [what, bytes] of [
    ['with two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx'],
    ['that is no HTTP', 'SSH-2.0-x\r\n\r\n'],
    ['with a folded field', 'HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n'],
  ] as const)
    it(`${what} is a 502, and its connection is not used again`, async () => {
      await stage.listen();
      await stage.serveRaw('west', answering(bytes));
      for (let count = 1; count <= 2; count++) {
        const { status, body } = await stage.ask('/', { method: 'POST' });
        assert.equal(status, 502);
        assert.match(body, /^backend: west did not answer: its answer .*\n$/);
        assert.equal(stage.way.connects, count);
      }
    });

  it('with more behind it is passed on alone, and its connection is not used again', async () => {
    await stage.listen();
    await stage.serveRaw(
      'west',
      answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'),
    );
    assert.equal((await stage.ask()).body, 'ok');
    assert.equal((await stage.ask()).body, 'ok');
    assert.equal(stage.way.connects, 2);
  });

  it('that comes before its request is for nobody', async () => {
    await stage.listen();
    const server = await stage.serveRaw('west', answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    assert.equal((await stage.ask()).body, 'ok');
    for (const socket of server.sockets) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
    await until('the connection to go', () => server.sockets.size === 0);
    assert.equal((await stage.ask()).body, 'ok');
  });
});
