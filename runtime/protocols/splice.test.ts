/** Two connections that became one, when something happens to either. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, it, type TestContext } from 'node:test';
import { dial, received, TestServer } from '../../test/support/tcp.ts';
import { abort, splice } from './splice.ts';

describe('a connection that is aborted', () => {
  let server: TestServer;
  let accepted: Promise<Socket>;
  beforeEach(async () => {
    let accept!: (socket: Socket) => void;
    accepted = new Promise((resolve) => (accept = resolve));
    server = await TestServer.start((socket) => accept(socket.resume()));
  });
  afterEach(() => server.stop());

  it('is reset', async () => {
    const client = dial(server.port);
    await once(client, 'connect');
    const far = await accepted;
    abort(client, new Error('the other side was lost'));
    const [error] = (await once(far, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNRESET');
  });

  it('is closed even in the moment in which it ends', async () => {
    const client = dial(server.port);
    await once(client, 'connect');
    const far = await accepted;
    const closed = new Promise((resolve) => client.once('close', resolve));
    const ended = once(far, 'end');
    client.end();
    abort(client, new Error('the other side was lost'));
    await Promise.all([closed, ended]);
  });
});

describe('two connections that are joined', () => {
  it('are reset where one of them was gone already', async (context) => {
    const server = await TestServer.start((socket) => {
      const gone = new PassThrough();
      gone.on('error', () => {});
      gone.destroy(new Error('reset in the moment that it was opened'));
      gone.once('close', () => splice(socket, gone));
    });
    context.after(() => server.stop());
    await assert.rejects(received(dial(server.port)), { code: 'ECONNRESET' });
  });

  it('pass on an end that came before they were joined, and go on in the other direction', async (context) => {
    const client = await end(context);
    const server = await end(context);
    client.far.end();
    // Nothing reads it: Node tells the end of a socket that had nothing else to tell.
    await once(client.near, 'end');
    splice(client.near, server.near);
    await once(server.far.resume(), 'end');
    const answer = received(client.far);
    server.far.end('all the same');
    assert.equal((await answer).toString(), 'all the same');
  });
});

/** Both ends of a connection. */
async function end(context: TestContext): Promise<{ near: Socket; far: Socket }> {
  let accept!: (socket: Socket) => void;
  const accepted = new Promise<Socket>((resolve) => (accept = resolve));
  const server = await TestServer.start((socket) => accept(socket));
  context.after(() => server.stop());
  const far = dial(server.port);
  return { far, near: await accepted };
}
