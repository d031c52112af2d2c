/** What every TCP stream must keep, through 0, 1 and 3 routers in between: the same suite each time. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { dial, received, TestServer } from '../support/tcp.ts';
import { until } from '../support/until.ts';
import { SiteProcesses } from './site-processes.ts';

const MIB = 1024 * 1024;

for (const transit of [0, 1, 3])
  describe(`a TCP stream through ${transit} transit routers`, () => {
    let sites: SiteProcesses;
    const servers: TestServer[] = [];
    let port: number;
    let serve: Parameters<typeof TestServer.start>[0];

    before(async () => {
      sites = await SiteProcesses.make();
      const line = await sites.start(...Array.from({ length: transit + 2 }, (_, at) => `site-${at}`));
      for (const [at, site] of line.slice(1).entries()) await sites.link(line[at]!, site);
      const server = await TestServer.start((socket) => serve(socket));
      servers.push(server);
      await line[0]!.api.expose({ address: 'server', port: server.port });
      port = await line.at(-1)!.listen('server');
    });
    after(async () => {
      await sites.stop();
      await Promise.all(servers.map((server) => server.stop()));
    });

    for (const size of [0, 1, 4096, 4097, 65_537, 64 * MIB])
      it(`carries ${size} bytes there and back unchanged`, async () => {
        serve = (socket) => socket.pipe(socket);
        const payload = randomBytes(size);
        const client = dial(port);
        const answer = received(client);
        client.end(payload);
        assert.equal(sha(await answer), sha(payload));
      });

    it('lets the server speak first', async () => {
      serve = (socket) => socket.write('220 ready\n');
      const client = dial(port);
      const [greeting] = (await once(client, 'data')) as [Buffer];
      assert.equal(greeting.toString(), '220 ready\n');
      client.destroy();
    });

    it('keeps the answer flowing after the client has ended', async () => {
      serve = (socket) => {
        void received(socket).then((question) => socket.end(Buffer.alloc(2 * MIB, question.toString())));
      };
      const client = dial(port);
      const answer = received(client);
      client.end('x');
      assert.equal((await answer).length, 2 * MIB);
    });

    it('keeps the question flowing after the server has ended', async () => {
      const question = new Promise<Buffer>((resolve) => {
        serve = (socket) => {
          socket.end('bye');
          void received(socket).then(resolve);
        };
      });
      const client = dial(port);
      assert.equal((await received(client)).toString(), 'bye');
      client.end(Buffer.alloc(3 * MIB));
      assert.equal((await question).length, 3 * MIB);
    });

    it('passes a reset by the client on to the server', async () => {
      const outcome = new Promise<string>((resolve) => {
        serve = (socket) => socket.on('error', (error: NodeJS.ErrnoException) => resolve(String(error.code))).resume();
      });
      const client = dial(port);
      client.write('x');
      await until('the server to see the client', () => servers[0]!.sockets.size > 0);
      client.resetAndDestroy();
      assert.equal(await outcome, 'ECONNRESET');
    });

    it('passes a reset by the server on to the client', async () => {
      serve = (socket) => socket.once('data', () => socket.resetAndDestroy());
      const client = dial(port);
      client.write('x');
      await assert.rejects(received(client), { code: 'ECONNRESET' });
    });

    it('stops the sender, with bounded memory, when the reader stops', async () => {
      serve = (socket) => socket.pause();
      const client = dial(port);
      let accepted = 0;
      const chunk = Buffer.alloc(MIB);
      let stalled = false;
      const send = () => {
        while (accepted < 200 && client.write(chunk)) accepted++;
        accepted++;
        stalled = accepted < 200;
        client.once('drain', send);
      };
      send();
      let last = -1;
      await until('the sender to stall', async () => {
        const still = last === client.bytesWritten - client.writableLength;
        last = client.bytesWritten - client.writableLength;
        await new Promise((resolve) => {
          setTimeout(resolve, 300);
        });
        return still && last > 0;
      });
      assert.ok(stalled, 'all of 200 MiB was taken by somebody');
      assert.ok(last < 64 * MIB, `${last} bytes were taken though nobody reads`);
      client.destroy();
    });

    it('carries a thousand short connections, forty at a time', async () => {
      serve = (socket) => socket.pipe(socket);
      let left = 1000;
      const worker = async () => {
        while (left-- > 0) {
          const client = dial(port);
          const answer = received(client);
          client.end(`question ${left}`);
          assert.match((await answer).toString(), /^question \d+$/);
        }
      };
      await Promise.all(Array.from({ length: 40 }, worker));
    });
  });

function sha(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function once(emitter: NodeJS.EventEmitter, event: string): Promise<unknown[]> {
  return new Promise((resolve) => {
    emitter.once(event, (...values) => resolve(values));
  });
}
