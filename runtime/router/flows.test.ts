import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { stoppedClock } from '../../test/support/stopped-clock.ts';
import { UdpPeer } from '../../test/support/udp.ts';
import { until } from '../../test/support/until.ts';
import type { Flow } from '../protocols/listener.ts';
import { FLOW_IDLE_MS, SWEEP_EVERY_MS } from '../protocols/udp/flow-table.ts';
import type { Distribution } from '../routing/types.ts';
import type { ConnectorConfig } from './config.ts';
import { RouterMesh } from './router-mesh.testkit.ts';
import type { Router } from './router.ts';

let mesh: RouterMesh;
/** b — hub — a, hub — c, and the edge d on c. */
let a: Router, b: Router, c: Router, d: Router, hub: Router;
const peers: UdpPeer[] = [];

beforeEach(async () => {
  mesh = new RouterMesh();
  [a, b, c, hub] = ['a', 'b', 'c', 'hub'].map((name) => mesh.add(name)) as [Router, Router, Router, Router];
  d = mesh.add('d', { role: 'edge' });
  await mesh.link(b, hub);
  await mesh.link(hub, a);
  await mesh.link(hub, c);
  await mesh.link(d, c);
  await mesh.settle();
});
afterEach(async () => {
  await mesh.stop();
  await Promise.all(peers.splice(0).map((peer) => peer.stop()));
});

/** Servers of `news` at a router, which answer with the router's name. */
async function serve(router: Router, count = 1, distribution: Distribution = 'balanced'): Promise<UdpPeer[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => UdpPeer.start((question) => `${router.info.id} ${question.toString()}`)),
  );
  peers.push(...servers);
  offer(
    router,
    servers.map(({ port }) => port),
    distribution,
  );
  await until('everybody to know', () =>
    [a, b, c, d].every((other) =>
      other.engine.offersOf('news').some(({ router: { id }, cost }) => id === router.info.id && cost !== undefined),
    ),
  );
  return servers;
}

function offer(router: Router, ports: number[], distribution: Distribution): void {
  const connector: ConnectorConfig = {
    name: 'news',
    address: 'news',
    type: 'udp',
    distribution,
    port: 53,
    exact: false,
    targets: ports.map((port) => ({ host: '127.0.0.1', port, name: `127.0.0.1:${port}` })),
    pending: undefined,
    source: 'it.yaml:1',
  };
  router.servers.set([connector]);
  router.advertise();
}

/** A port that nobody listens on. */
async function deadPort(): Promise<number> {
  const gone = await UdpPeer.start();
  const { port } = gone;
  await gone.stop();
  return port;
}

/** A flow, and what came back on it. */
function open(router: Router): { flow: Flow; answers: string[] } {
  const answers: string[] = [];
  return { flow: router.flows.open('news', 53, (answer) => answers.push(answer.toString())), answers };
}

describe('a flow of datagrams', () => {
  it('goes to one server, keeps its datagrams apart and whole, and answers come back', async () => {
    const [server] = await serve(a);
    const { flow, answers } = open(b);
    const large = randomBytes(20_000).toString('hex');
    for (const text of ['', 'one', large]) flow.send(Buffer.from(text));
    await until('every answer', () => answers.length === 3);
    assert.deepEqual(server!.texts, ['', 'one', large]);
    assert.deepEqual(answers, ['a ', 'a one', `a ${large}`]);
    assert.equal(new Set(server!.received.map(({ from }) => from.port)).size, 1, 'from one port, as the client has one');
    flow.close();
  });

  it('is one of several flows that spread over the servers of every router, an edge among them', async () => {
    const all = [...(await serve(a, 2)), ...(await serve(d)), ...(await serve(b))];
    const flows = Array.from({ length: 40 }, () => open(hub));
    for (const { flow } of flows) flow.send(Buffer.from('x'));
    await until('every answer', () => flows.every(({ answers }) => answers.length === 1));
    const shares = all.map(({ received }) => received.length);
    assert.ok(Math.max(...shares) - Math.min(...shares) <= 2, shares.join());
    assert.equal(
      shares.reduce((sum, share) => sum + share),
      40,
    );
    for (const { flow } of flows) flow.close();
  });

  it('works from an edge and to one', async () => {
    await serve(a);
    const fromEdge = open(d);
    fromEdge.flow.send(Buffer.from('up'));
    await until('the answer', () => fromEdge.answers.length === 1);
    assert.deepEqual(fromEdge.answers, ['a up']);
  });

  it('goes on with another server when its own is withdrawn, or refuses', async () => {
    await serve(a);
    const { flow, answers } = open(b);
    flow.send(Buffer.from('1'));
    await until('the answer', () => answers.length === 1);
    await serve(c);
    flow.send(Buffer.from('2'));
    await until('the answer', () => answers.length === 2);
    assert.deepEqual(answers, ['a 1', 'a 2'], 'it stays while it can');
    offer(a, [], 'balanced');
    await until('its answer from the other', () => {
      flow.send(Buffer.from('3'));
      return answers.at(-1) === 'c 3';
    });
    flow.close();
  });

  it('goes to the next server of the same router when one is not there', async () => {
    const [server] = await serve(a);
    offer(a, [await deadPort(), server!.port], 'balanced');
    const { flow, answers } = open(b);
    await until('an answer', () => {
      flow.send(Buffer.from('x'));
      return answers.includes('a x');
    });
    flow.close();
  });

  for (const where of ['the same router', 'another router'])
    it(`goes to a server of ${where} when one refuses, also where the others have more flows`, async () => {
      const good = where === 'the same router' ? a : c;
      const [server] = await serve(good);
      const bad = await deadPort();
      offer(a, where === 'the same router' ? [bad, server!.port] : [bad], 'balanced');
      await until('the bad one to be known', () => b.engine.offersOf('news').some(({ router }) => router.id === a.info.id));
      for (let count = 0; count < 10; count++) {
        const { flow, answers } = open(b);
        await until('an answer', () => {
          flow.send(Buffer.from('x'));
          return answers.includes(`${good.info.id} x`);
        });
      }
      const { state, message } = a.connectors()[0]!;
      assert.equal(message, `127.0.0.1:${bad} refuses datagrams`);
      assert.equal(state, where === 'the same router' ? 'ready' : 'failed');
    });

  it('is forgotten at its server, too, once nothing came or went for two minutes', async (t) => {
    const pass = stoppedClock(t, SWEEP_EVERY_MS);
    const alone = new RouterMesh();
    t.after(() => alone.stop());
    const router = alone.add('alone');
    const server = await UdpPeer.start();
    peers.push(server);
    offer(router, [server.port], 'balanced');
    const { flow } = open(router);
    for (const [text, ms] of [
      ['one', FLOW_IDLE_MS - 1],
      ['two', FLOW_IDLE_MS + 1],
      ['three', 0],
    ] as const) {
      flow.send(Buffer.from(text));
      await until(text, () => server.texts.at(-1) === text);
      pass(ms);
    }
    const [one, two, three] = server.received.map(({ from }) => from.port);
    assert.equal(one, two);
    assert.notEqual(two, three, 'its port was given back');
  });

  it('to an address that nobody offers is dropped, and found once somebody does', async () => {
    const { flow, answers } = open(b);
    flow.send(Buffer.from('too early'));
    await serve(a);
    flow.send(Buffer.from('now'));
    await until('the answer', () => answers.length === 1);
    assert.deepEqual(answers, ['a now']);
  });

  it('that is multicast comes to every server everywhere once, and every answer comes back', async () => {
    const all = [
      ...(await serve(a, 2, 'multicast')),
      ...(await serve(c, 1, 'multicast')),
      ...(await serve(d, 1, 'multicast')),
      ...(await serve(b, 1, 'multicast')),
    ];
    const { flow, answers } = open(b);
    for (let at = 0; at < 50; at++) flow.send(Buffer.from(String(at)));
    await until('every copy', () => all.every(({ received }) => received.length === 50));
    await until('every answer', () => answers.length === 250);
    for (const { texts } of all)
      assert.deepEqual(
        texts,
        Array.from({ length: 50 }, (_, at) => String(at)),
      );
    assert.deepEqual(new Set(answers).size, 200, 'the two servers at a say the same');
    flow.close();
  });
});
