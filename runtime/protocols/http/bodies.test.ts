import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import { describe, it } from 'node:test';
import { dial } from '../../../test/support/tcp.ts';
import { until } from '../../../test/support/until.ts';
import { answering, MIB, stageForEach } from './stage.testkit.ts';

const stage = stageForEach();

describe('bodies', () => {
  it('of 16 MiB go both ways unchanged, with a length and in chunks', async () => {
    await stage.listen();
    await stage.serve('west', (asked, answer) => {
      if (asked.headers['content-length']) answer.setHeader('Content-Length', asked.headers['content-length']);
      asked.pipe(answer);
    });
    const payload = randomBytes(16 * MIB);
    for (const headers of [{ 'Content-Length': payload.length }, { 'Transfer-Encoding': 'chunked' }]) {
      const asked = request({ port: stage.listener.port, agent: stage.agent, method: 'POST', headers });
      const answer = new Promise<string>((resolve, reject) => {
        asked.once('error', reject);
        asked.once('response', (incoming) => {
          const hash = createHash('sha256');
          incoming.on('data', (piece: Buffer) => hash.update(piece)).once('end', () => resolve(hash.digest('hex')));
        });
      });
      asked.end(payload);
      assert.equal(await answer, createHash('sha256').update(payload).digest('hex'));
    }
    assert.equal(stage.way.connects, 1);
  });

  it('come with their trailers', async () => {
    await stage.listen();
    await stage.serve('west', (asked, answer) => {
      asked.resume().once('end', () => {
        answer.writeHead(200, { Trailer: 'X-Sum' });
        answer.write('x');
        answer.addTrailers({ 'X-Sum': asked.trailers['x-sum'] });
        answer.end();
      });
    });
    const asked = request({ port: stage.listener.port, agent: stage.agent, method: 'POST', headers: { Trailer: 'X-Sum' } });
    const answer = new Promise<IncomingMessage>((resolve) => {
      asked.once('response', (incoming) => incoming.resume().once('end', () => resolve(incoming)));
    });
    asked.write('x');
    asked.addTrailers({ 'X-Sum': '42' });
    asked.end();
    assert.equal((await answer).trailers['x-sum'], '42');
  });

  it('without a length end with the connection', async () => {
    await stage.listen();
    await stage.serveRaw('west', (socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\nall of it'));
    });
    assert.match(await stage.exchange('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), /Connection: close\r\n\r\nall of it$/);
  });

  it('without a length that are cut off end with a reset', async () => {
    await stage.listen();
    await stage.serveRaw('west', (socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\nhalf', () => setImmediate(() => socket.resetAndDestroy())));
    });
    await assert.rejects(stage.exchange('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), { code: 'ECONNRESET' });
  });

  it('with a length that are cut off end with a reset', async () => {
    await stage.listen();
    await stage.serveRaw('west', (socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'));
    });
    await assert.rejects(stage.exchange('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), { code: 'ECONNRESET' });
  });

  it('in chunks are taken apart for HTTP/1.0', async () => {
    await stage.listen();
    await stage.serve('west', (_, answer) => {
      answer.write('one ');
      answer.end('two');
    });
    const said = await stage.exchange('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    assert.match(said, /Connection: close\r\n\r\none two$/);
    assert.doesNotMatch(said, /Transfer-Encoding/i);
  });

  it('are not there for HEAD, 204 and 304, whatever the head says', async () => {
    await stage.listen();
    await stage.serveRaw(
      'west',
      answering(
        'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
        'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n',
        'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
        'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
      ),
    );
    const answers = [await stage.ask('/', { method: 'HEAD' }), await stage.ask(), await stage.ask(), await stage.ask()];
    assert.deepEqual(
      answers.map(({ status, body, headers }) => [status, body, headers['content-length']]),
      [
        [200, '', '5'],
        [204, '', undefined],
        [304, '', '5'],
        [200, 'ok', '2'],
      ],
    );
    assert.equal(stage.way.connects, 1);
  });

  it('wait for a reader that is slow: little of 64 MiB is taken from the server', async () => {
    await stage.listen();
    let sent = 0;
    await stage.serve('west', (_, answer) => {
      const chunk = Buffer.alloc(MIB);
      const send = () => {
        while (sent < 64 && answer.write(chunk)) sent++;
        sent++;
        if (sent < 64) answer.once('drain', send);
        else answer.end();
      };
      send();
    });
    const socket = dial(stage.listener.port);
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.ok((await stalled(() => sent)) < 32);
    socket.destroy();
  });

  it('wait for a server that is slow: little of 64 MiB is taken from the client', async () => {
    await stage.listen();
    await stage.serveRaw('west', (socket) => socket.pause());
    const asked = request({ port: stage.listener.port, agent: stage.agent, method: 'POST' });
    asked.on('error', () => {});
    let sent = 0;
    const chunk = Buffer.alloc(MIB);
    const send = () => {
      while (sent < 64 && asked.write(chunk)) sent++;
      sent++;
      if (sent < 64) asked.once('drain', send);
    };
    send();
    assert.ok((await stalled(() => sent)) < 32);
    asked.destroy();
  });

  it('that nobody reads hold further requests up', async () => {
    await stage.listen();
    let answered = 0;
    await stage.serve('west', (_, answer) => {
      answered++;
      answer.end(Buffer.alloc(30_000));
    });
    const socket = dial(stage.listener.port);
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2000));
    assert.ok((await stalled(() => answered)) < 1000);
    socket.destroy();
  });

  it('and requests behind one that is not answered wait at the client', async () => {
    await stage.listen();
    await stage.serve('west', () => {});
    const socket = dial(stage.listener.port);
    let sent = 0;
    const more = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(10_000));
    const send = () => {
      while (sent < 64 * MIB && socket.write(more)) sent += more.length;
      if (sent < 64 * MIB) socket.once('drain', send);
    };
    send();
    assert.ok((await stalled(() => sent)) < 32 * MIB);
    assert.equal(stage.way.given, 1);
    socket.destroy();
  });

  /** What a counter has once it grows no more. */
  async function stalled(count: () => number): Promise<number> {
    let last = -1;
    let same = 0;
    return until('it to stall', () => {
      same = count() === last ? same + 1 : 0;
      last = count();
      return same > 8 && last > 0 && last;
    });
  }
});
