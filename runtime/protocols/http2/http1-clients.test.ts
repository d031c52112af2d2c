/** Clients of HTTP/1.1 at a listener of type http2. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { constants, type ServerHttp2Stream } from 'node:http2';
import { request as requestTls } from 'node:https';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { TestAuthority } from '../../../test/support/certificates.ts';
import { received } from '../../../test/support/tcp.ts';
import { until } from '../../../test/support/until.ts';
import { type H2Server, says } from './ends.testkit.ts';
import { hearing, Stage, stalled } from './stage.testkit.ts';

const { NGHTTP2_CANCEL } = constants;
const MIB = 1024 * 1024;
const GET = 'GET / HTTP/1.1\r\nHost: x\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: x\r\n';

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.end());

/** What a client hears that says this, until its connection ends. */
async function told(text: string): Promise<string> {
  return (await received(stage.dial(text))).toString('latin1');
}

describe('a client of HTTP/1.1', () => {
  it('is understood at the same port', async () => {
    const server = await stage.serve((stream, headers) => {
      stream.respond({ ':status': 200, 'x-path': headers[':path'], 'x-method': headers[':method'] });
      stream.pipe(stream);
    });
    await stage.open([server.port]);
    const { port } = stage.listener;
    const response = await fetch(`http://127.0.0.1:${port}/a?b`, { method: 'POST', body: 'question' });
    assert.deepEqual(
      [response.status, await response.text(), response.headers.get('x-path'), response.headers.get('x-method')],
      [200, 'question', '/a?b', 'POST'],
    );
    assert.equal(server.requests[0]?.[':authority'], `127.0.0.1:${port}`);
    assert.equal(server.requests[0]?.['x-forwarded-for'], '127.0.0.1');
    assert.equal(server.requests[0]?.['connection'], undefined);
  });

  it('asks for what an absolute target names, for the address where it names no host, and for no other protocol', async () => {
    const server = await stage.serve(says('here'));
    await stage.open([server.port]);
    await told('GET http://b:8/x?y HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await told('GET /old HTTP/1.0\r\nExpect: 100-continue\r\n\r\n');
    await told(`${GET}Connection: upgrade, close, http2-settings\r\nUpgrade: h2c, websocket\r\nHTTP2-Settings: x\r\n\r\n`);
    assert.deepEqual(
      server.requests.map(({ via }) => via),
      ['1.1 caravan', '1.0 caravan', '1.1 caravan'],
    );
    assert.deepEqual(
      server.requests.map((each) => [each[':authority'], each[':path'], each['expect'], each['upgrade'], each['http2-settings']]),
      [
        ['b:8', '/x?y', undefined, undefined, undefined],
        ['orders', '/old', undefined, undefined, undefined],
        ['x', '/', undefined, undefined, undefined],
      ],
    );
  });

  it('sends chunks and trailers, and gets those of the response and what comes before it', async () => {
    const server = await stage.serve((stream) => {
      stream.additionalHeaders({ ':status': 100 });
      stream.additionalHeaders({ ':status': 103, link: 'no link' });
      let trailer: unknown;
      stream.on('trailers', (trailers) => (trailer = trailers['x-sum']));
      stream.on('data', () => {});
      stream.on('end', () => {
        stream.respond({ ':status': 200, trailer: 'X-Back, Content-Length' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'x-back': String(trailer), 'content-length': '9' }));
        stream.end('done');
      });
    });
    await stage.open([server.port]);
    const socket = stage.dial(`${POST}Expect: 100-continue\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`);
    const answer = received(socket);
    await until('the server to say that it wants the body', () => socket.bytesRead > 0);
    socket.write('3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n');
    const text = (await answer).toString();
    assert.match(
      text,
      /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 103 Early Hints\r\nlink: no link\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
    );
    assert.match(text, /\r\ntrailer: x-back\r\n/);
    assert.match(text, /\r\n4\r\ndone\r\n0\r\nx-back: 7\r\n\r\n$/);
  });

  it('is told to go on with its body where the server speaks HTTP/2, which may say nothing of that', async () => {
    const server = await stage.serve((stream) => {
      let body = '';
      stream.setEncoding('utf8').on('data', (piece: string) => (body += piece));
      stream.on('end', () => {
        stream.respond({ ':status': 200 });
        stream.end(body);
      });
    });
    await stage.open([server.port]);
    const socket = stage.dial(`${POST}Expect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\n`);
    const answer = received(socket);
    await until('word that the body is wanted', () => socket.bytesRead > 0);
    socket.write('abc');
    assert.match((await answer).toString(), /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n[^]*abc/);
  });

  it('gets no trailers where a response has a length', async () => {
    const server = await stage.serve((stream) => {
      stream.respond({ ':status': 200, 'content-length': '4', trailer: 'x-back' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-back': '1' }));
      stream.end('done');
    });
    await stage.open([server.port]);
    const text = await told(`${GET}Connection: close\r\n\r\n`);
    assert.match(text, /\r\n\r\ndone$/);
    assert.doesNotMatch(text, /trailer|x-back/i);
  });

  it('keeps its connection, for one response after the other however each of them ends', async () => {
    const server = await stage.serve((stream, headers) => {
      stream.resume();
      const path = headers[':path']!.slice(1);
      const status = Number(path.replace(/\D/g, ''));
      const endStream = path.includes('empty');
      stream.respond(
        { ':status': status, 'x-is': path, ...(path.includes('length') && { 'content-length': '2' }) },
        { endStream },
      );
      if (!endStream) stream.end(headers[':method'] === 'HEAD' || status === 204 || status === 304 ? '' : 'ok');
    });
    await stage.open([server.port]);
    const socket = stage.dial();
    const hears = hearing(socket);
    const asked = [
      'GET /200',
      'GET /200-length',
      'GET /200-empty',
      'HEAD /200-length',
      'HEAD /200',
      'GET /204-length',
      'GET /304',
    ];
    for (const [at, line] of asked.entries()) {
      socket.write(`${line} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await until('the response', () => hears().split('x-is:').length === at + 2);
    }
    socket.write(`${POST.replace('/', '/200')}Connection: close\r\nContent-Length: 1\r\n\r\nx`);
    await once(socket, 'end');
    const bodies = hears()
      .split(/HTTP\/1\.1 /)
      .slice(1)
      .map((response) => response.slice(response.indexOf('\r\n\r\n') + 4));
    const chunks = '2\r\nok\r\n0\r\n\r\n';
    assert.deepEqual(bodies, [chunks, 'ok', '', '', '', '', '', chunks]);
    assert.match(hears(), /x-is: 200-empty\r\n(?:date: .*\r\n)?content-length: 0\r\n/);
    assert.doesNotMatch(/HTTP\/1\.1 204 [^]*?\r\n\r\n/.exec(hears())![0], /content-length/);
    assert.match(hears(), /connection: close\r\n\r\n2\r\nok\r\n0\r\n\r\n$/);
  });

  it('of HTTP/1.0 gets no chunks, nor what comes before a response', async () => {
    const server = await stage.serve((stream, headers) => {
      stream.additionalHeaders({ ':status': 103, link: '</a>' });
      stream.respond({ ':status': 200, ...(headers[':path'] === '/length' && { 'content-length': '2' }) });
      stream.end('ok');
    });
    await stage.open([server.port]);
    const text = await told(
      'GET /length HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
    );
    const date = /date: .*\r\n/g;
    assert.equal(
      text.replaceAll(date, ''),
      'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\nok' +
        'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nok',
    );
  });

  it('that is gone has its request taken back', async () => {
    const server = await stage.serve(() => {});
    await stage.open([server.port]);
    const closed = new Promise<number | undefined>((resolve) => {
      server.serve = (stream) => stream.once('close', () => resolve(stream.rstCode));
    });
    const socket = stage.dial(`${GET}\r\n`);
    await until('the server to see it', () => server.requests.length === 1);
    socket.destroy();
    assert.equal(await closed, NGHTTP2_CANCEL);
  });

  it('that leaves in the middle of its body frees the server that has answered already', async () => {
    const server = await stage.serveHttp1((request, response) => {
      response.end('early');
      request.resume();
    });
    await stage.open([server.port]);
    const socket = stage.dial(`${POST}Content-Length: 100\r\n\r\na`);
    await until('its answer', () => socket.bytesRead > 0);
    socket.destroy();
    await until('the server to be free', () => stage.way.busy.size === 0);
  });

  it('whose server wants no more of its body is answered, and its connection ends', async () => {
    const server = await stage.serve((stream) => {
      stream.respond({ ':status': 413 });
      stream.end('too much');
      stream.once('finish', () => stream.close());
    });
    await stage.open([server.port]);
    const socket = stage.dial(`${POST}Content-Length: 1000000\r\n\r\nsome`);
    const text = (await received(socket)).toString();
    assert.match(text, /^HTTP\/1\.1 413 [^]*too much/);
  });

  it('is cut off where a response breaks off', async () => {
    const server = await stage.serve((stream) => {
      stream.respond({ ':status': 200 });
      stream.write('some', () => server.cut());
    });
    await stage.open([server.port]);
    const response = await fetch(`http://127.0.0.1:${stage.listener.port}/`);
    await assert.rejects(response.text());
  });

  it('is cut off where a response of gRPC is shorter than it says, and told where it does not say', async () => {
    const server = await stage.serve((stream, headers) => {
      const length = headers[':path'] === '/length' && { 'content-length': '10' };
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...length });
      stream.write('some', () => server.cut());
    });
    await stage.open([server.port]);
    const grpc = 'Content-Type: application/grpc\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
    await assert.rejects(told(`${POST.replace('/', '/length')}${grpc}`));
    assert.match(await told(`${POST}${grpc}`), /\r\n4\r\nsome\r\n0\r\ngrpc-status: 14\r\n/);
  });

  it('is cut off in TLS, too', async () => {
    const server = await stage.serve((stream) => {
      stream.respond({ ':status': 200 });
      stream.write('some');
    });
    const authority = await TestAuthority.make();
    await stage.open([server.port], {}, { ...(await authority.issue(['localhost'])), alpn: ['http/1.1'] });
    const asked = requestTls({ port: stage.listener.port, ca: authority.certificate, agent: false }).end();
    asked.on('error', () => {});
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    const end = once(response.resume(), 'end');
    server.cut();
    await assert.rejects(end);
  });

  it('gets one sentence where no server answers', async () => {
    await stage.open([]);
    const response = await fetch(`http://127.0.0.1:${stage.listener.port}/`);
    assert.deepEqual([response.status, await response.text()], [503, 'orders did not answer: no server offers it now.\n']);
  });
});

describe('a request of HTTP/1.1 that is not clear is refused, and no server hears of it:', () => {
  let server: H2Server;

  beforeEach(async () => {
    server = await stage.serve(says('never'));
    await stage.open([server.port]);
  });

  for (const [what, request, status] of [
    ['a star for a GET', 'GET * HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['a target of another scheme', 'GET ftp://b/x HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['a tunnel', 'CONNECT b:443 HTTP/1.1\r\nHost: b\r\n\r\n', 400],
    ['no host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['a host that is none', 'GET / HTTP/1.1\r\nHost: a@b/c\r\n\r\n', 400],
    ['two hosts', `${GET}Host: y\r\n\r\n`, 400],
    ['a length beside chunks', `${POST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    ['two lengths', `${POST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`, 400],
    ['a field that becomes another one elsewhere', `${POST}Transfer_Encoding: chunked\r\n\r\n`, 400],
    ['a bare LF', 'GET / HTTP/1.1\nHost: x\n\n', 400],
    ['a first line without end', `GET /${'a'.repeat(9000)}`, 414],
    ['a head without end', `${GET}X: ${'y'.repeat(70_000)}`, 431],
    ['too many fields', `${GET}${'X: y\r\n'.repeat(128)}\r\n`, 431],
    ['a coding that is not chunked', `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n`, 501],
    ['another version', 'GET / HTTP/1.2\r\nHost: x\r\n\r\n', 505],
  ] as const)
    it(what, async () => {
      const text = await told(request);
      assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} [^]*\\r\\nConnection: close\\r\\n\\r\\norders: the request .+\\n$`));
      assert.equal(server.requests.length, 0);
      assert.equal(stage.way.asked.length, 0);
    });

  it('a body whose chunks are none ends the request at the server', async () => {
    let code: number | undefined;
    server.serve = (stream) => stream.once('close', () => (code = stream.rstCode));
    const socket = stage.dial(`${POST}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n`);
    const answer = received(socket);
    await until('it at the server', () => server.requests.length === 1);
    socket.write('x\r\n');
    assert.match((await answer).toString(), /^HTTP\/1\.1 400 /);
    await until('its end there', () => code === NGHTTP2_CANCEL);
  });
});

describe('requests that a client of HTTP/1.1 sends ahead', () => {
  it('are worked on one after the other, and answered in order', async () => {
    const held: { stream: ServerHttp2Stream; path: string }[] = [];
    const server = await stage.serve((stream, headers) => held.push({ stream, path: headers[':path']! }));
    await stage.open([server.port]);
    const socket = stage.dial([1, 2, 3].map((at) => `GET /${at} HTTP/1.1\r\nHost: x\r\n\r\n`).join(''));
    const hears = hearing(socket);
    for (const at of [1, 2, 3]) {
      await until('the next one', () => held.length === at);
      assert.equal(stage.way.asked.length, at);
      const { stream, path } = held.at(-1)!;
      stream.respond({ ':status': 200, 'content-length': '2' });
      stream.end(path);
      await until('its response', () => hears().endsWith(path));
    }
    assert.deepEqual(hears().match(/\/\d(?=HTTP|$)/g), ['/1', '/2', '/3']);
  });

  it('wait at the client behind one that is not answered', async () => {
    const server = await stage.serve(() => {});
    await stage.open([server.port]);
    const socket = stage.dial();
    const more = Buffer.from(`${GET}\r\n`.repeat(10_000));
    let sent = 0;
    const send = (): void => {
      while (sent < 64 * MIB && socket.write(more)) sent += more.length;
      if (sent < 64 * MIB) socket.once('drain', send);
    };
    send();
    assert.ok((await stalled(() => sent)) < 32 * MIB);
    assert.equal(stage.way.asked.length, 1);
    assert.equal(server.requests.length, 1);
  });

  it('wait until the client has taken what it was answered', async () => {
    let answered = 0;
    const server = await stage.serve((stream) => {
      answered++;
      stream.respond({ ':status': 200 });
      stream.end(Buffer.alloc(30_000));
    });
    await stage.open([server.port]);
    const socket = stage.dial(`${GET}\r\n`.repeat(2000));
    socket.pause();
    assert.ok((await stalled(() => answered)) < 1000);
  });
});

describe('flow control with a client of HTTP/1.1', () => {
  it('stops it where its server does not read', async () => {
    const server = await stage.serve(() => {});
    await stage.open([server.port]);
    const socket = stage.dial(`${POST}Content-Length: ${64 * MIB}\r\n\r\n`);
    const chunk = Buffer.alloc(MIB);
    let sent = 0;
    const send = (): void => {
      while (sent < 64 && socket.write(chunk)) sent++;
      if (sent++ < 64) socket.once('drain', send);
    };
    send();
    assert.ok((await stalled(() => sent)) < 32);
  });

  it('stops its server where it does not read', async () => {
    let sent = 0;
    const server = await stage.serve((stream) => {
      stream.respond({ ':status': 200 });
      const more = (): void => {
        sent++;
        if (!stream.destroyed) stream.write(Buffer.alloc(64 * 1024), more);
      };
      more();
    });
    await stage.open([server.port]);
    const socket = stage.dial(`${GET}\r\n`);
    socket.pause();
    assert.ok((await stalled(() => sent)) < 512);
  });

  it('carries bodies of many megabytes both ways at once, with a length and in chunks', async () => {
    const server = await stage.serve((stream, headers) => {
      const length = headers['content-length'];
      stream.respond({ ':status': 200, ...(length !== undefined && { 'content-length': length }) });
      stream.pipe(stream);
    });
    await stage.open([server.port]);
    const url = `http://127.0.0.1:${stage.listener.port}/`;
    const body = Buffer.alloc(16 * MIB, 'abcdefg');
    const whole = await fetch(url, { method: 'POST', body });
    assert.equal(whole.headers.get('content-length'), String(body.length));
    assert.ok(Buffer.from(await whole.arrayBuffer()).equals(body));
    const pieces = ReadableStream.from(Array.from({ length: 16 }, (_, at) => body.subarray(at * MIB, (at + 1) * MIB)));
    const chunks = await fetch(url, { method: 'POST', body: pieces, duplex: 'half' });
    assert.ok(Buffer.from(await chunks.arrayBuffer()).equals(body));
  });
});

describe('a connection of HTTP/1.1', () => {
  it('without a request is ended after a time', async () => {
    const server = await stage.serve(says('here'));
    await stage.open([server.port], { clientIdleMs: 50, reviewEveryMs: 20 });
    const text = await told(`${GET}\r\n`);
    assert.match(text, /here/);
  });

  it('is ended with the listener: at once where it waits, else behind its response', async () => {
    let held: ServerHttp2Stream | undefined;
    const server = await stage.serve((stream, headers) => {
      if (headers[':path'] === '/held') held = stream;
      else says('here')(stream, headers);
    });
    await stage.open([server.port]);
    const idle = stage.dial(`${GET}\r\n`);
    const busy = stage.dial(`${GET.replace('/', '/held')}\r\n`);
    const [ending, answer] = [received(idle), received(busy)];
    await until('both requests', () => held && idle.bytesRead > 0);
    stage.listener.close();
    assert.match((await ending).toString(), /here/);
    says('last')(held!, {});
    assert.match((await answer).toString(), /\r\nconnection: close\r\n[^]*last/);
  });
});
