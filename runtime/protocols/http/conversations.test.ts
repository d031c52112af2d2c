import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import { describe, it } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { dial } from '../../../test/support/tcp.ts';
import { until } from '../../../test/support/until.ts';
import { answering, answerTo, MIB, stageForEach } from './stage.testkit.ts';

const stage = stageForEach();

describe('a conversation', () => {
  it('starts with "100 Continue" from the server, before the body', async () => {
    await stage.listen();
    const server = await stage.serve('west', (asked, answer) => void asked.pipe(answer));
    server.on('checkContinue', (asked: IncomingMessage, answer) => {
      answer.writeContinue();
      asked.pipe(answer);
    });
    const asked = request({
      port: stage.listener.port,
      agent: stage.agent,
      method: 'POST',
      headers: { Expect: '100-continue', 'Content-Length': 4 },
    });
    asked.flushHeaders();
    await new Promise((resolve) => {
      asked.once('continue', resolve);
    });
    const answer = answerTo(asked);
    asked.end('body');
    assert.equal((await answer).body, 'body');
  });

  it('whose body its server has not asked for, though it should have, leaves the connection: the body might be its next request', async () => {
    await stage.listen();
    let connections = 0;
    await stage.serveRaw('west', (socket) => {
      connections++;
      answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')(socket);
    });
    const put = 'PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx';
    const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    await stage.exchange(`${put}${get}${get}`, (said) => said.split('ok').length > 3);
    assert.equal(connections, 2);
  });

  it('has early hints', async () => {
    await stage.listen();
    await stage.serve('west', (_, answer) => answer.writeEarlyHints({ link: '</x>; rel=preload' }, () => answer.end()));
    const asked = request({ port: stage.listener.port, agent: stage.agent });
    const hints = new Promise<number>((resolve) => {
      asked.once('information', ({ statusCode }) => resolve(statusCode));
    });
    asked.end();
    assert.equal((await answerTo(asked)).status, 200);
    assert.equal(await hints, 103);
  });

  it('has none of that with HTTP/1.0', async () => {
    await stage.listen();
    await stage.serve('west', (_, answer) => answer.writeEarlyHints({ link: '</x>; rel=preload' }, () => answer.end('x')));
    assert.match(await stage.exchange('GET / HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200/);
  });

  it('goes on with HTTP/1.0 where the client wants that', async () => {
    await stage.listen();
    await stage.serve('west', (_, answer) => answer.writeHead(200, { 'Content-Length': 1 }).end('x'));
    const two = 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'.repeat(2);
    const said = await stage.exchange(two, (sofar) => sofar.endsWith('\r\n\r\nx') && sofar.split('200 OK').length === 3);
    assert.match(said, /Connection: keep-alive/);
  });

  it('sends every event on at once', async () => {
    await stage.listen();
    let say: ((event: string) => void) | undefined;
    await stage.serve('west', (_, answer) => {
      answer.writeHead(200, { 'Content-Type': 'text/event-stream' });
      answer.flushHeaders();
      say = (event) => answer.write(`data: ${event}\n\n`);
    });
    const asked = request({ port: stage.listener.port, agent: stage.agent });
    asked.end();
    const answer = await new Promise<IncomingMessage>((resolve) => {
      asked.once('response', resolve);
    });
    for (const event of ['one', 'two', 'three']) {
      const piece = new Promise<Buffer>((resolve) => {
        answer.once('data', resolve);
      });
      say!(event);
      assert.equal((await piece).toString(), `data: ${event}\n\n`);
    }
    asked.on('error', () => {});
    asked.destroy();
  });

  it('has an answer while the request is still being sent', async () => {
    await stage.listen();
    await stage.serve('west', (asked, answer) => {
      answer.writeHead(200);
      asked.on('data', (piece: Buffer) => answer.write(piece.toString().toUpperCase()));
      asked.once('end', () => answer.end('.'));
    });
    const asked = request({ port: stage.listener.port, agent: stage.agent, method: 'POST' });
    asked.write('one');
    const answer = await new Promise<IncomingMessage>((resolve) => {
      asked.once('response', resolve);
    });
    let said = '';
    answer.on('data', (piece) => (said += String(piece)));
    await until('the first word', () => said === 'ONE');
    asked.write('two');
    await until('the second word', () => said === 'ONETWO');
    asked.end();
    await until('the end', () => said === 'ONETWO.');
    assert.equal((await stage.ask('/', { method: 'POST' }, 'again')).body, 'AGAIN.');
    assert.equal(stage.way.connects, 1);
  });

  it('ends where a server has answered and closed before all was sent', async () => {
    await stage.listen();
    await stage.serveRaw('west', (socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno'));
    });
    const said = await stage.exchange('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\nfirst');
    assert.match(said, /^HTTP\/1\.1 413 [^]*Connection: close\r\n\r\nno$/);
  });

  it('becomes a WebSocket', async () => {
    await stage.listen();
    const server = await stage.serve('west', (_, answer) => answer.end());
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket) => {
      socket.send('welcome');
      socket.on('message', (data, isBinary) => socket.send(data as Buffer, { binary: isBinary }));
    });
    const socket = new WebSocket(`ws://127.0.0.1:${stage.listener.port}/`);
    const messages: Buffer[] = [];
    socket.on('message', (data) => messages.push(data as Buffer));
    await until('the welcome', () => messages.length === 1);
    const large = randomBytes(MIB);
    socket.send(large);
    await until('the echo', () => messages.length === 2);
    assert.ok(messages[1]!.equals(large));
    assert.equal(stage.way.done, 0, 'the server is busy with it');
    const code = new Promise((resolve) => {
      socket.once('close', resolve);
    });
    socket.close(4000);
    assert.equal(await code, 4000);
  });

  it('becomes what both agree on, with what was said early and half-close', async () => {
    await stage.listen();
    await stage.serveRaw('west', (socket) => {
      let said = '';
      socket.on('data', (chunk) => {
        const isFirst = said === '';
        said += chunk.toString('latin1');
        if (isFirst) socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello');
      });
      socket.on('end', () => socket.end(said.slice(said.indexOf('\r\n\r\n') + 4).toUpperCase()));
    });
    const socket = dial(stage.listener.port);
    let said = '';
    socket.on('data', (chunk) => (said += chunk.toString()));
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly ');
    await until('the greeting', () => said.endsWith('hello'));
    socket.end('late');
    await until('the answer', () => said.endsWith('EARLY LATE'));
  });

  it('has the protocols that a server requires', async () => {
    await stage.listen();
    await stage.serve('west', (_, answer) => answer.writeHead(426, { Connection: 'Upgrade', Upgrade: 'x/2' }).end());
    const { status, headers } = await stage.ask();
    assert.deepEqual([status, headers.connection, headers.upgrade], [426, 'Upgrade', 'x/2']);
  });

  it('does not change its protocol unasked', async () => {
    await stage.listen();
    await stage.serveRaw('west', answering('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'));
    const { status, body } = await stage.ask();
    assert.equal(status, 502);
    assert.equal(body, 'backend: west did not answer: its answer changes the protocol unasked\n');
  });
});
