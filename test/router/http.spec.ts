/** HTTP through real routers: `near` and `far` serve, `asks` has the clients, and every link goes through `transit`. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type RequestListener,
  type RequestOptions,
  type Server,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { dial } from '../support/tcp.ts';
import { until } from '../support/until.ts';
import { type SiteProcess, SiteProcesses } from './site-processes.ts';

const MIB = 1024 * 1024;

describe('HTTP at two sites, through a transit router', () => {
  let sites: SiteProcesses;
  let asks: SiteProcess;
  let transit: SiteProcess;
  let near: SiteProcess;
  let far: SiteProcess;
  let port: number;
  const servers: Server[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });

  before(async () => {
    sites = await SiteProcesses.make();
    [asks, transit, near, far] = await sites.start('asks', 'transit', 'near', 'far');
    for (const site of [asks, near, far]) await sites.link(transit, site);
    for (const site of [near, far]) {
      const server = await serve((asked, answer) => answerAs(site.name, asked, answer));
      const sockets = new WebSocketServer({ server });
      sockets.on('connection', (socket) => {
        socket.on('message', (data, binary) => socket.send(data as Buffer, { binary }));
      });
      await site.api.expose({ address: 'web', port: (server.address() as AddressInfo).port, type: 'http' });
    }
    const { name } = await asks.api.listen({ address: 'web', port: 0, type: 'http' });
    port = await asks.status(
      'the listener',
      ({ listeners, services }) =>
        services[0]?.destinations.length === 2 &&
        listeners.find((listener) => listener.name === name && listener.state === 'open')?.port,
    );
  });
  after(async () => {
    agent.destroy();
    await sites.stop();
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  });

  it('takes turns, request by request, on one connection of the client', async () => {
    const answers: string[] = [];
    for (let count = 0; count < 20; count++) answers.push((await ask()).body);
    assert.deepEqual(answers.slice(2), answers.slice(0, -2), 'one after the other');
    assert.deepEqual([...new Set(answers)].sort(), ['far', 'near']);
    const { listeners } = await asks.api.status();
    assert.equal(listeners[0]?.connections, 1);
  });

  it('counts requests, in all and a second, and tells Prometheus', async () => {
    const count = async () => (await asks.api.status()).listeners[0]?.totals;
    const earlier = await count();
    for (let asked = 0; asked < 5; asked++) await ask();
    const now = await count();
    assert.equal(now!.requests! - earlier!.requests!, 5);
    assert.equal(now!.connections, earlier!.connections, 'on the same connection');
    const rate = await asks.status('a rate', ({ listeners }) => listeners[0]?.perSecond);
    assert.ok(rate > 0 && rate <= 25 / 5, `${rate} a second`);
    const labels = `{listener="${(await asks.api.status()).listeners[0]!.name}",address="web",type="http"}`;
    assert.ok((await asks.api.metrics()).includes(`caravan_listener_requests_total${labels} ${now!.requests}\n`));
    await asks.status('no rate any more', ({ listeners }) => listeners[0]?.perSecond === undefined);
  });

  it('carries 64 MiB both ways unchanged', async () => {
    const payload = randomBytes(64 * MIB);
    const asked = request({ port, agent, path: '/echo', method: 'POST', headers: { 'Content-Length': payload.length } });
    const hash = createHash('sha256');
    const answer = new Promise<void>((resolve, reject) => {
      asked.once('error', reject);
      asked.once('response', (incoming) => {
        incoming.on('data', (piece: Buffer) => hash.update(piece)).once('end', () => resolve());
      });
    });
    asked.end(payload);
    await answer;
    assert.equal(hash.digest('hex'), createHash('sha256').update(payload).digest('hex'));
  });

  it('holds a server up whose reader is slow', async () => {
    const socket = dial(port);
    socket.pause();
    written = 0;
    socket.write('GET /endless HTTP/1.1\r\nHost: web\r\n\r\n');
    let last = -1;
    let same = 0;
    await until('the server to be held up', () => {
      same = written === last ? same + 1 : 0;
      last = written;
      return same > 20 && written > 0;
    });
    assert.ok(written < 64 * MIB, `${written} bytes were taken though nobody reads`);
    socket.destroy();
    await until('the server to be left', () => writers === 0);
  });

  it('carries events one by one', async () => {
    const asked = request({ port, path: '/events' });
    asked.end();
    const answer = await new Promise<IncomingMessage>((resolve) => {
      asked.once('response', resolve);
    });
    let said = '';
    answer.on('data', (piece) => (said += String(piece)));
    answer.on('error', () => {});
    for (const event of ['one', 'two']) {
      await until('the server to be asked', () => say);
      said = '';
      say!(event);
      await until('the event', () => said === `data: ${event}\n\n`);
    }
    asked.destroy();
    await until('the server to be left', () => writers === 0);
  });

  it('carries a WebSocket', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
    await new Promise((resolve, reject) => {
      socket.once('open', resolve).once('error', reject);
    });
    const echo = new Promise<Buffer>((resolve) => {
      socket.once('message', (data) => resolve(data as Buffer));
    });
    const payload = randomBytes(4 * MIB);
    socket.send(payload);
    assert.ok((await echo).equals(payload));
    const closed = new Promise<number>((resolve) => {
      socket.once('close', resolve);
    });
    socket.close(4001);
    assert.equal(await closed, 4001);
  });

  it('asks the other site when one is killed with requests under way', async () => {
    const kept = new Agent({ keepAlive: true });
    // Half of them wait at the site that is killed; they may be repeated, so nobody notices.
    holds = true;
    const answers = Array.from({ length: 10 }, () => ask({ path: '/held', agent: kept }));
    await until('all to be there', () => held.length === 10);
    assert.ok(held.some(({ site }) => site === 'far') && held.some(({ site }) => site === 'near'));
    holds = false;
    await far.kill();
    for (const { site, answer } of held) if (site === 'near') answer();
    assert.deepEqual(new Set((await Promise.all(answers)).map(({ status, body }) => `${status} ${body}`)), new Set(['200 near']));
    assert.equal((await ask({ agent: kept })).body, 'near');
    kept.destroy();
  });

  it('says who did not answer when nobody is left', async () => {
    holds = true;
    held = [];
    const answer = ask({ path: '/held', method: 'POST' });
    await until('it to be there', () => held.length === 1);
    await near.kill();
    const { status, body } = await answer;
    assert.equal(status, 502);
    assert.match(body, /^web: near did not answer: the link was lost: .*\n$/);
  });

  let writers = 0;
  let written = 0;
  let say: ((event: string) => void) | undefined;
  let holds = false;
  let held: { site: string; answer: () => void }[] = [];

  /** What both sites serve. */
  function answerAs(site: string, asked: IncomingMessage, answer: Parameters<RequestListener>[1]): void {
    if (asked.url === '/echo') asked.pipe(answer);
    else if (asked.url === '/events') {
      writers++;
      answer.once('close', () => writers--);
      answer.writeHead(200, { 'Content-Type': 'text/event-stream' });
      answer.flushHeaders();
      say = (event) => answer.write(`data: ${event}\n\n`);
    } else if (asked.url === '/endless') {
      writers++;
      answer.once('close', () => writers--);
      const chunk = Buffer.alloc(MIB);
      const send = () => {
        do written += chunk.length;
        while (written < 512 * MIB && answer.write(chunk));
        answer.once('drain', send);
      };
      send();
    } else if (asked.url === '/held' && holds) held.push({ site, answer: () => answer.end(site) });
    else answer.end(site);
  }

  async function serve(listener: RequestListener): Promise<Server> {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  function ask(options: RequestOptions = {}): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const asked = request({ port, agent, ...options });
      asked.once('error', reject);
      asked.once('response', (answer) => {
        let body = '';
        answer.setEncoding('utf8').on('data', (piece: string) => (body += piece));
        answer.once('end', () => resolve({ status: answer.statusCode!, body }));
      });
      asked.end();
    });
  }
});
