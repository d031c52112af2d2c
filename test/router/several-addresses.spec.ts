import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { API_VERSION } from '../../runtime/site/resources.ts';
import { ask, TestServer } from '../support/tcp.ts';
import { until } from '../support/until.ts';
import { type SiteProcess, SiteProcesses } from './site-processes.ts';

describe('a listener for several addresses', () => {
  let sites: SiteProcesses;
  let here: SiteProcess;
  let there: SiteProcess;
  const servers = new Map<string, TestServer>();

  before(async () => {
    sites = await SiteProcesses.make();
    [here, there] = await sites.start('here', 'there');
    await sites.link(there, here);
    for (const address of ['blue', 'green']) {
      const server = await TestServer.start((socket) => socket.on('end', () => socket.end(address)).resume());
      servers.set(address, server);
      await there.api.expose({ address, port: server.port });
    }
  });
  after(async () => {
    await sites.stop();
    await Promise.all([...servers.values()].map((server) => server.stop()));
  });

  it('sends everybody to the first by priority, and to the next once that is gone', async () => {
    const port = await listen('by-priority', { priority: { routingKeys: ['blue', 'green'] } });
    assert.deepEqual(await askTimes(port, 10), { blue: 10 });
    const blue = { kind: 'Connector', name: `blue-${servers.get('blue')!.port}` } as const;
    await there.api.remove(blue);
    await until('the next address', async () => (await ask(port, '')) === 'green');
    assert.deepEqual(await askTimes(port, 10), { green: 10 });
    await there.api.expose({ address: 'blue', port: servers.get('blue')!.port });
    await until('the first again', async () => (await ask(port, '')) === 'blue');
  });

  it('keeps shares by weight', async () => {
    const port = await listen('by-weight', { weighted: { routingKeys: { blue: 3, green: 1 } } });
    assert.deepEqual(await askTimes(port, 20), { blue: 15, green: 5 });
  });

  it('says in one sentence what is wrong with a strategy', async () => {
    await here.write('wrong.yaml', [
      resource('wrong', { priority: { routingKeys: ['a'] }, weighted: { routingKeys: { a: 1 } } }),
    ]);
    const problem = await here.status('the problem', ({ problems }) =>
      problems.find(({ where }) => where.startsWith('wrong.yaml')),
    );
    assert.match(problem.message, /^MultiKeyListener wrong: spec\.strategy .* needs either priority or weighted/);
  });

  async function listen(name: string, strategy: object): Promise<number> {
    await here.write(`${name}.yaml`, [resource(name, strategy)]);
    return here.status(
      'it open',
      ({ listeners }) => listeners.find((listener) => listener.name === name && listener.state === 'open')?.port,
    );
  }
});

function resource(name: string, strategy: object): object {
  return { apiVersion: API_VERSION, kind: 'MultiKeyListener', metadata: { name }, spec: { port: 0, strategy } };
}

/** How often each address answered. */
async function askTimes(port: number, times: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let time = 0; time < times; time++) {
    const answer = await ask(port, '');
    counts[answer] = (counts[answer] ?? 0) + 1;
  }
  return counts;
}
