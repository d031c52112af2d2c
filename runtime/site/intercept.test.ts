import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ask, TestServer } from '../../test/support/tcp.ts';
import { until } from '../../test/support/until.ts';
import type { InterceptRequest, Protocol } from '../api/types.ts';
import type { Site } from './site.ts';
import { closeSites, link, resourcesOf, start } from './sites.testkit.ts';

const ends: (() => unknown)[] = [];
let west: Site;
let source: Awaited<ReturnType<typeof start>>['source'];
let laptop: Site;
/** Clients come in at the cluster's site. */
let port: number;

beforeEach(async () => {
  [{ site: west, source }, { site: laptop }] = await Promise.all([start('west'), start('ada')]);
  await link(west, laptop);
});
afterEach(async () => {
  await closeSites();
  for (const end of ends.splice(0)) await end();
});

/** A server that answers each request with its name, and keeps what it heard. */
async function http(name: string): Promise<{ port: number; heard: string[]; stop: () => void }> {
  const heard: string[] = [];
  const server = createServer((asked, answer) => {
    heard.push(`${asked.method} ${asked.url} ${asked.headersDistinct['baggage']?.join() ?? ''}`.trim());
    answer.end(name);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  ends.push(stop);
  return { port: (server.address() as AddressInfo).port, heard, stop };
}

/** The service as the cluster has it, and a listener for its clients there. */
async function offer(type: Protocol, serverPort: number): Promise<void> {
  await west.expose({ address: 'backend', port: serverPort, type });
  await west.listen({ address: 'backend', port: 0, type });
  await until('its clients', () => west.status().listeners[0]?.state === 'open');
  ({ port } = west.status().listeners[0]!);
  await until('the laptop to know it', () => laptop.services().some(({ address }) => address === 'backend'));
}

async function intercept(wanted: Omit<InterceptRequest, 'address'>): Promise<string> {
  const before = interceptors().length;
  const { name } = await laptop.intercept({ address: 'backend', ...wanted });
  await until('the cluster to know it', () => interceptors().length > before);
  return name;
}

function interceptors(): string[] {
  const [service] = west.services();
  return (service?.intercepts ?? []).map(({ site, how, header }) => [site, how, header].filter(Boolean).join(' '));
}

function get(path: string, baggage?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, path, headers: { ...(baggage && { baggage }), Connection: 'close' } }, (answer) => {
      let said = '';
      answer.setEncoding('utf8').on('data', (piece: string) => (said += piece));
      answer.once('end', () => resolve(said));
    });
    asked.once('error', reject).end();
  });
}

describe('a laptop that takes over', () => {
  it('gets every connection, and when it gives back none', async () => {
    const [there, here] = await Promise.all(['west', 'ada'].map((name) => TestServer.start((socket) => void socket.end(name))));
    ends.push(
      () => there!.stop(),
      () => here!.stop(),
    );
    await offer('tcp', there!.port);
    assert.equal(await ask(port, ''), 'west');
    const name = await intercept({ port: here!.port, how: 'take-over' });
    for (let count = 0; count < 4; count++) assert.equal(await ask(port, ''), 'ada');
    assert.deepEqual(interceptors(), ['ada take-over']);
    const [service] = west.services();
    assert.deepEqual(service!.ports, [there!.port], 'clients see the port that they know');
    assert.deepEqual(
      service!.destinations.map(({ site }) => site),
      ['west'],
      'it is still offered by whom it was',
    );
    await laptop.remove({ kind: 'Connector', name });
    await until('the cluster to know it', () => interceptors().length === 0);
    assert.equal(await ask(port, ''), 'west');
  });

  it('comes first at the very site of the others, too', async () => {
    const [there, here] = await Promise.all(
      ['west', 'stand-in'].map((name) => TestServer.start((socket) => void socket.end(name))),
    );
    ends.push(
      () => there!.stop(),
      () => here!.stop(),
    );
    await offer('tcp', there!.port);
    const spec = { routingKey: 'backend', host: '127.0.0.1', port: here!.port, type: 'tcp' as const, includeNotReadyPods: false };
    const settings = { intercept: 'take-over' };
    source.set([...resourcesOf('west'), { kind: 'Connector', name: 'mine', spec: { ...spec, settings }, where: 'the test' }]);
    await until('it to be known', () => interceptors().length === 1);
    for (let count = 0; count < 4; count++) assert.equal(await ask(port, ''), 'stand-in');
    await here!.stop();
    ends.splice(-1);
    assert.equal(await ask(port, ''), 'west');
  });

  it('leaves to the cluster what it does not answer', async () => {
    const [there, here] = await Promise.all([http('west'), http('ada')]);
    await offer('http', there.port);
    await intercept({ port: here.port, how: 'take-over' });
    assert.equal(await get('/'), 'ada');
    here.stop();
    assert.equal(await get('/'), 'west');
  });

  it('and whose router ends gives all back', async () => {
    const [there, here] = await Promise.all([http('west'), http('ada')]);
    await offer('http', there.port);
    await intercept({ port: here.port, how: 'take-over' });
    await laptop.close();
    assert.equal(await get('/'), 'west');
    await until('the cluster to know it', () => interceptors().length === 0);
  });
});

it('a laptop that takes some gets its requests, and nobody else’s', async () => {
  const [there, here] = await Promise.all([http('west'), http('ada')]);
  await offer('http', there.port);
  await intercept({ port: here.port, header: 'Baggage: caravan=ada' });
  assert.deepEqual(interceptors(), ['ada take-some baggage: caravan=ada']);
  assert.equal(await get('/1'), 'west');
  assert.equal(await get('/2', 'a=b, caravan=ada'), 'ada');
  assert.equal(await get('/3', 'caravan=grace'), 'west');
  assert.deepEqual(here.heard, ['GET /2 a=b, caravan=ada'], 'with the field that says whose it is');
});

it('some come before all: one takes over, and another keeps what is its own', async () => {
  const [there, all, some] = await Promise.all([http('west'), http('all'), http('some')]);
  await offer('http', there.port);
  await intercept({ port: all.port, how: 'take-over' });
  const { site: grace } = await start('grace');
  await link(west, grace);
  await grace.intercept({ address: 'backend', port: some.port, header: 'baggage: caravan=grace' });
  await until('both', () => interceptors().length === 2);
  assert.equal(await get('/'), 'all');
  assert.equal(await get('/', 'caravan=grace'), 'some');
});

it('a laptop that listens in gets copies, and answers nobody', async () => {
  const [there, here] = await Promise.all([http('west'), http('ada')]);
  await offer('http', there.port);
  await intercept({ port: here.port, how: 'listen-in' });
  assert.equal(await get('/1'), 'west');
  await until('the copy', () => here.heard.length === 1);
  assert.deepEqual([here.heard, there.heard], [['GET /1'], ['GET /1']]);
  there.stop();
  assert.match(await get('/2'), /^backend: west did not answer/, 'nor where nobody else answers');
});

describe('an intercept is refused', () => {
  const refused = (wanted: InterceptRequest, code: string, message: RegExp, by = laptop) =>
    assert.rejects(by.intercept(wanted), { code, message });

  it('where it makes no sense', async () => {
    const there = await http('west');
    await offer('tcp', there.port);
    await refused({ address: 'nobody', port: 1 }, 'not-found', /^No other site offers nobody/);
    await refused(
      { address: 'backend', port: 1 },
      'bad-request',
      /^backend is tcp: take-some is not possible for tcp; use take-over\.$/,
    );
    await refused({ address: 'backend', port: 1, how: 'take-over' }, 'not-found', /^No other site offers backend/, west);
    await refused(
      { address: 'backend', port: 1, how: 'take-over', servicePort: 9 },
      'bad-request',
      new RegExp(`^backend has the ports ${there.port}: say which`),
    );
    await refused({ address: 'backend', port: 1, how: 'take-over', header: 'a: b' }, 'bad-request', /^Who takes over gets all/);
    assert.deepEqual(laptop.status().connectors, [], 'nothing is kept of it');
  });

  it('where its header is none', async () => {
    await offer('http', (await http('west')).port);
    await refused({ address: 'backend', port: 1, header: 'caravan' }, 'bad-request', /^"caravan" is not a field and its value/);
  });

  it('where someone else holds it', async () => {
    await offer('http', (await http('west')).port);
    const { site: grace } = await start('grace');
    await link(west, grace);
    await until('grace to know it', () => grace.services().length > 0);
    await intercept({ port: 3000, how: 'take-over' });
    await until('grace to know of it', () => grace.services()[0]!.intercepts?.length === 1);
    const wanted = { address: 'backend', port: 1, how: 'take-over' } as const;
    await refused(wanted, 'conflict', /^ada takes over backend already; agree/, grace);
    await grace.intercept({ address: 'backend', port: 1, header: 'baggage: caravan=grace' });
  });
});
