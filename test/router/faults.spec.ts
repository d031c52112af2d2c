/** Routers that crash, hang and come back while clients keep asking. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Load } from '../support/load.ts';
import { ask, dial, TestServer } from '../support/tcp.ts';
import { until } from '../support/until.ts';
import { type SiteProcess, SiteProcesses } from './site-processes.ts';

const CLIENTS = 8;

describe('a service at two of five sites, under load', () => {
  let sites: SiteProcesses;
  let asks: SiteProcess;
  let relay: SiteProcess;
  let other: SiteProcess;
  let first: SiteProcess;
  let second: SiteProcess;
  const servers: TestServer[] = [];
  let port: number;

  before(async () => {
    sites = await SiteProcesses.make();
    [asks, relay, other, first, second] = await sites.start('asks', 'relay', 'other', 'first', 'second');
    for (const middle of [relay, other]) {
      await sites.link(middle, asks);
      await sites.link(middle, first);
      await sites.link(middle, second);
    }
    for (const site of [first, second]) {
      const server = await TestServer.start((socket) =>
        socket.on('data', (question) => socket.write(`${site.name} ${question.toString()}`)).on('end', () => socket.end()),
      );
      servers.push(server);
      await site.api.expose({ address: 'echo', port: server.port });
    }
    port = await asks.listen('echo');
    await asks.status('both destinations', ({ services }) => services[0]?.destinations.length === 2);
  });
  after(async () => {
    await sites.stop();
    await Promise.all(servers.map((server) => server.stop()));
  });

  it('answers from both', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(port, 'hello')));
    assert.deepEqual([...new Set(answers)].sort(), ['first hello', 'second hello']);
  });

  it('does not notice, where a connection does not pass there, that a router in between crashes', async () => {
    const held = await hold('first');
    const load = new Load(port, CLIENTS);
    await relay.kill();
    await asks.status('the other way', ({ links }) => links.filter(({ state }) => state === 'up').length === 1);
    load.noteFromHere();
    await load.answered(200);
    assert.deepEqual(await load.stop(), [], 'requests failed after the crash was known');
    await relay.start();
    await asks.status('both ways again', ({ links }) => links.filter(({ state }) => state === 'up').length === 2);
    held.destroy();
  });

  it('fails no request where a destination hangs: another one answers', async () => {
    const held = await hold('first');
    const load = new Load(port, CLIENTS);
    const frozen = performance.now();
    second.freeze();
    await asks.status('one destination left', ({ services }) => services[0]?.destinations.length === 1);
    console.log(`# a router that hangs is given up after ${Math.round(performance.now() - frozen)} ms`);
    await load.answered(50);
    const failures = await load.stop();
    // Those whose question was on its way to the router that hangs are answered by nobody: they end when it is given up.
    assert.ok(failures.length <= CLIENTS, `${failures.length} requests failed: ${failures[0]}`);
    assert.equal(await exchange(held, 'still there'), 'first still there', 'a connection to the other one goes on');
    held.destroy();
    second.wake();
    await asks.status('both destinations again', ({ services }) => services[0]?.destinations.length === 2);
    await until('answers from both again', async () => (await ask(port, 'back')) === 'second back');
  });

  it('sends everything to the other one when a destination crashes, and to both when it is back', async () => {
    const load = new Load(port, CLIENTS);
    await second.kill();
    await asks.status('one destination left', ({ services }) => services[0]?.destinations.length === 1);
    load.noteFromHere();
    await load.answered(200);
    assert.deepEqual(await load.stop(), [], 'requests failed after the crash was known');
    await second.start();
    await until('answers from both again', async () => (await ask(port, 'back')) === 'second back');
  });

  /** A connection that stays open, to the destination of that name. */
  async function hold(name: string) {
    for (;;) {
      const socket = dial(port);
      if ((await exchange(socket, 'hold')) === `${name} hold`) return socket;
      socket.destroy();
    }
  }
});

function exchange(socket: ReturnType<typeof dial>, question: string): Promise<string> {
  socket.write(question);
  return new Promise((resolve, reject) => {
    socket.once('data', (answer: Buffer) => resolve(answer.toString()));
    socket.once('close', () => reject(new Error('the connection was closed')));
  });
}
