/** Requests of one address that go to different servers, by what they are; and those that go to all. */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { API_VERSION } from '../../runtime/site/resources.ts';
import { caravan } from '../support/caravan.ts';
import { until } from '../support/until.ts';
import { type SiteProcess, SiteProcesses } from './site-processes.ts';

describe('connectors of one address that take certain requests', () => {
  let sites: SiteProcesses;
  let here: SiteProcess, west: SiteProcess, laptop: SiteProcess;
  const servers: Server[] = [];
  const ports = new Map<string, number>();
  let port: number;

  before(async () => {
    sites = await SiteProcesses.make();
    [here, west] = await sites.start('here', 'west');
    laptop = await sites.startEdge('laptop');
    await sites.link(west, here);
    await sites.link(west, laptop);
    for (const name of ['cluster', 'v2', 'mine', 'blue', 'green']) {
      const server = createServer((question, answer) => reply(question, (body) => answer.end(JSON.stringify({ name, body }))));
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      ports.set(name, (server.address() as AddressInfo).port);
    }
    await west.write('backend.yaml', [connector('cluster', 'backend'), connector('v2', 'backend', { pathPrefix: '/v2' })]);
    await laptop.write('backend.yaml', [connector('mine', 'backend', { header: 'baggage: caravan=ada' })]);
    port = await here.listen('backend', 'http');
    await here.status('all three', ({ services }) => services[0]?.destinations.length === 3);
  });
  after(async () => {
    await sites.stop();
    for (const server of servers) server.close().closeAllConnections();
  });

  it('get the requests that have their field, or the first part of their path; the rest goes to the others', async () => {
    assert.equal(await ask('/'), 'cluster');
    assert.equal(await ask('/v2/orders'), 'v2');
    assert.equal(await ask('/v20'), 'cluster');
    assert.equal(await ask('/', { baggage: 'team=x,caravan=ada' }), 'mine');
    assert.equal(await ask('/', { baggage: 'caravan=bob' }), 'cluster');
  });

  it('leave them to the others, without a failed request, when they go', async () => {
    const mine = { baggage: 'caravan=ada' };
    const answers: string[] = [];
    const asking = (async () => {
      while (answers.at(-1) !== 'cluster') answers.push(await ask('/', mine));
    })();
    await until('the first answers', () => answers.length > 5);
    await laptop.kill();
    await asking;
    assert.deepEqual([...new Set(answers)], ['mine', 'cluster']);
    await laptop.start();
    await until('them to come back', async () => (await ask('/', mine)) === 'mine');
  });

  it('get their share of the requests', async () => {
    await west.write('colours.yaml', [
      connector('blue', 'colour', { weight: '3' }),
      connector('green', 'colour', { weight: '1' }),
    ]);
    const colours = await here.listen('colour', 'http');
    await here.status('both', ({ services }) => services.find(({ address }) => address === 'colour')?.destinations.length === 2);
    const answers = [];
    for (let count = 0; count < 40; count++) answers.push(await ask('/', {}, colours));
    assert.equal(answers.filter((answer) => answer === 'blue').length, 30);
    assert.equal(answers.filter((answer) => answer === 'green').length, 10);
  });

  it('get each request all together, and their answers become one', async () => {
    const settings = { distribution: 'multicast', aggregate: 'json' };
    await west.write('all.yaml', [connector('blue', 'all', settings)]);
    await laptop.write('all.yaml', [connector('green', 'all', settings)]);
    const all = await here.listen('all', 'http');
    await here.status('both', ({ services }) => services.find(({ address }) => address === 'all')?.destinations.length === 2);
    const { status, body } = await send(all, { path: '/news', body: 'hello' });
    assert.equal(status, 200);
    const answers = JSON.parse(body) as { name: string; body: string }[];
    assert.deepEqual(
      answers.sort((a, b) => (a.name < b.name ? -1 : 1)),
      [
        { name: 'blue', body: 'hello' },
        { name: 'green', body: 'hello' },
      ],
    );
  });

  it('as an event channel get each request, and the client hears at once that all have it', async () => {
    await west.write('events.yaml', [connector('blue', 'events', { distribution: 'multicast' })]);
    const events = await here.listen('events', 'http');
    const { status, body } = await send(events, { path: '/', body: 'hello' });
    assert.deepEqual([status, body], [202, '']);
  });

  it('are made by commands as well, at several sites', async () => {
    const expose = async (site: SiteProcess, server: string, more: string[], address = 'commanded') => {
      const at = ['--port', String(ports.get(server)), '--type', 'http', '--socket', site.socket];
      assert.equal((await caravan(['expose', address, ...at, ...more])).err, '');
    };
    await expose(west, 'cluster', ['--weight', '1']);
    await expose(here, 'blue', ['--weight', '3']);
    await expose(west, 'v2', ['--path-prefix', '/v2']);
    await expose(laptop, 'mine', ['--header', 'baggage: caravan=ada']);
    const commanded = await here.listen('commanded', 'http');
    const offered = (address: string, count: number) =>
      here.status('all', ({ services }) => services.find((one) => one.address === address)?.destinations.length === count);
    await offered('commanded', 4);
    const answers: string[] = [];
    for (let count = 0; count < 8; count++) answers.push(await ask('/', {}, commanded));
    assert.deepEqual(
      ['blue', 'cluster'].map((name) => answers.filter((answer) => answer === name).length),
      [6, 2],
    );
    assert.equal(await ask('/v2/orders', {}, commanded), 'v2');
    assert.equal(await ask('/', { baggage: 'caravan=ada' }, commanded), 'mine');
    const everybody = ['--distribution', 'multicast', '--aggregate', 'multipart'];
    await expose(west, 'cluster', everybody, 'everybody');
    await expose(laptop, 'mine', everybody, 'everybody');
    const all = await here.listen('everybody', 'http');
    await offered('everybody', 2);
    const { status, body } = await send(all, { path: '/' });
    assert.equal(status, 200);
    for (const name of ['cluster', 'mine']) assert.equal(body.split(`{"name":"${name}","body":""}`).length, 2, body);
  });

  function connector(server: string, address: string, settings: Record<string, string> = {}): object {
    const spec = { routingKey: address, host: '127.0.0.1', port: ports.get(server), type: 'http', settings };
    return { apiVersion: API_VERSION, kind: 'Connector', metadata: { name: `${address}-${server}` }, spec };
  }

  async function ask(path: string, headers: Record<string, string> = {}, at = port): Promise<string> {
    const { status, body } = await send(at, { path, headers });
    assert.equal(status, 200, body);
    return (JSON.parse(body) as { name: string }).name;
  }
});

function send(
  port: number,
  { path, headers = {}, body }: { path: string; headers?: Record<string, string>; body?: string },
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const question = request({ port, host: '127.0.0.1', path, method, headers, agent: false }, (answer) => {
      reply(answer, (text) => resolve({ status: answer.statusCode!, body: text }));
    });
    question.on('error', reject);
    question.end(body);
  });
}

function reply(message: IncomingMessage, done: (body: string) => void): void {
  const chunks: Buffer[] = [];
  message.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => done(Buffer.concat(chunks).toString()));
}
