/** Joining and leaving from the command line: the router of a laptop as a process in the background, as a person has it. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { ApiClient } from '../../runtime/api/client.ts';
import { ApiServer } from '../../runtime/api/server.ts';
import { silentLog } from '../../runtime/log.ts';
import { parseResources } from '../../runtime/site/resources.ts';
import { Site } from '../../runtime/site/site.ts';
import { caravan as run, type Outcome } from '../support/caravan.ts';
import { FakeCluster } from '../support/fake-cluster.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { TestServer } from '../support/tcp.ts';
import { until } from '../support/until.ts';
import { type SiteProcess, SiteProcesses } from './site-processes.ts';

describe('a laptop, from the command line', () => {
  let home: string;
  let environment: NodeJS.ProcessEnv;
  let sites: SiteProcesses;
  let cloud: SiteProcess;
  let onprem: SiteProcess;
  let laptop: ApiClient;
  const web = createServer((_, response) => void response.end('hello'));

  const caravan = (...args: string[]): Promise<Outcome> => run(args, environment);
  const token = async (site: SiteProcess, name: string): Promise<string> => {
    const file = join(home, name);
    await writeFile(file, (await site.api.issueToken({})).yaml);
    return file;
  };
  const isRunning = () =>
    laptop.status().then(
      () => true,
      () => false,
    );

  before(async () => {
    // Short: sockets have paths with a limit.
    home = await mkdtemp(join(tmpdir(), 'caravan-'));
    const runtimeDirectory = join(home, 'run');
    environment = { CARAVAN_RUNTIME_DIR: runtimeDirectory, XDG_DATA_HOME: join(home, 'data'), HOME: home, KUBECONFIG: '' };
    laptop = ApiClient.overSocket(join(runtimeDirectory, 'laptop.sock'));
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    sites = await SiteProcesses.make();
    [cloud, onprem] = await sites.start('cloud', 'onprem');
    await cloud.api.expose({ address: 'backend', port: (web.address() as AddressInfo).port });
  });
  afterEach(async () => {
    if (await isRunning()) await caravan('leave');
  });
  after(async () => {
    await sites.stop();
    await rm(home, { recursive: true, force: true });
    web.closeAllConnections();
    web.close();
  });

  it('joins with a token, has the services of the network, and leaves without a trace', async () => {
    const { code, out, err } = await caravan('join', '--token', await token(cloud, 'a.yaml'));
    assert.deepEqual([code, out, err], [0, 'This laptop has joined cloud.\n', '']);
    const { pid } = (await laptop.status()).router;
    const here = await until('a local port', async () => (await laptop.status()).listeners.find(({ state }) => state === 'open'));
    assert.equal(await (await fetch(`http://127.0.0.1:${here.port}/`)).text(), 'hello');
    const env = `export BACKEND_SERVICE_HOST='127.0.0.1'\nexport BACKEND_SERVICE_PORT='${here.port}'\n`;
    assert.equal((await caravan('env', '--socket', 'laptop')).out, env);

    const left = await caravan('leave');
    assert.deepEqual([left.code, left.out], [0, 'This laptop has left: its links, ports and router are gone.\n']);
    await until('the end of the process', () => !isAlive(pid));
    await cloud.status('nothing of the laptop', ({ sites: known, links }) => known.length === 1 && links.length === 0);
    const again = await caravan('leave');
    assert.deepEqual([again.code, again.err], [1, 'caravan: This laptop is in no network.\n']);
  });

  it('joins a second network with the same router', async () => {
    await caravan('join', '--token', await token(cloud, 'a.yaml'));
    const { pid } = (await laptop.status()).router;
    const { out } = await caravan('join', '--token', await token(onprem, 'b.yaml'), '-o', 'json');
    assert.deepEqual(JSON.parse(out), { peer: 'onprem', socket: join(home, 'run', 'laptop.sock') });
    const { router, links } = await laptop.status();
    assert.equal(router.pid, pid);
    assert.deepEqual(links.map(({ peer, state }) => `${peer} ${state}`).sort(), ['cloud up', 'onprem up']);
  });

  it('starts one router, however many join at once', async () => {
    const files = await Promise.all([token(cloud, 'a.yaml'), token(onprem, 'b.yaml')]);
    const outcomes = await Promise.all(files.map((file) => caravan('join', '--token', file)));
    assert.deepEqual(
      outcomes.map(({ code, err }) => [code, err]),
      [
        [0, ''],
        [0, ''],
      ],
    );
    assert.equal((await laptop.status()).links.length, 2);
  });

  it('is told in one sentence what is wrong with a token, and stays where it was', async () => {
    const used = await token(cloud, 'used.yaml');
    assert.equal((await caravan('join', '--token', used)).code, 0);
    const again = await caravan('join', '--token', used);
    assert.equal(again.code, 1);
    assert.match(again.err, /^caravan: [^\n]*used up[^\n]*\n$/);
    const { links } = await laptop.status();
    assert.deepEqual(
      links.map(({ peer, state }) => [peer, state]),
      [['cloud', 'up']],
    );

    await caravan('leave');
    const alone = await caravan('join', '--token', used);
    assert.equal(alone.code, 1);
    await until('the router that was started for nothing to end', async () => !(await isRunning()));
    const missing = await caravan('join', '--token', join(home, 'missing.yaml'));
    assert.match(missing.err, /missing\.yaml is not there: give the file with the token\.\n$/);
  });

  describe('of a cluster without a way in', () => {
    let cluster: FakeCluster;
    let site: Site;
    let api: ApiServer;
    let kubeconfig: string;

    before(async () => {
      const free = await TestServer.start(() => {});
      const links = free.port;
      await free.stop();
      const yaml = `
apiVersion: skupper.io/v2alpha1
kind: RouterAccess
metadata: { name: links }
spec: { roles: [{ name: inter-router, port: ${links} }], bindHost: 127.0.0.1 }
`;
      site = await Site.start({
        store: new MemoryStore(),
        sources: [{ watch: async (changed) => changed(parseResources(yaml, 'test.yaml')), close: async () => {} }],
        platform: 'kubernetes',
        namespace: 'shop',
        log: silentLog,
      });
      api = new ApiServer();
      api.attach(site);
      cluster = await FakeCluster.start({ namespace: 'shop', api: await api.listenOnPort(0), links });
      kubeconfig = join(home, 'kubeconfig');
      await writeFile(kubeconfig, cluster.kubeconfig('west'));
    });
    after(async () => {
      await site.close();
      await api.close();
      await cluster.stop();
    });

    const at = (context: string, namespace: string) => ['join', '--context', context, '--namespace', namespace];

    it('joins through the API server', async () => {
      const { code, out, err } = await caravan(...at('west', 'shop'), '--kubeconfig', kubeconfig);
      assert.deepEqual([code, out, err], [0, 'This laptop has joined west/shop.\n', '']);
      const [link] = (await laptop.status()).links;
      assert.deepEqual([link?.peer, link?.state, link?.endpoint], ['shop', 'up', 'kubernetes context west, namespace shop']);
      assert.deepEqual([...cluster.tokens], ['Bearer secret']);
      const again = await run(at('west', 'shop'), { ...environment, KUBECONFIG: kubeconfig });
      assert.deepEqual([again.code, again.out], [0, 'This laptop has joined west/shop already.\n']);
    });

    for (const [what, context, namespace, message] of [
      ['a context that there is not', 'north', 'shop', /^caravan: The kubeconfig has no context north; it has west\.\n$/],
      [
        'a namespace without a site',
        'west',
        'empty',
        /^caravan: The namespace empty \(context west\) holds no site: create one there first\.\n$/,
      ],
    ] as const)
      it(`is told of ${what}, and starts nothing`, async () => {
        const { code, err } = await caravan(...at(context, namespace), '--kubeconfig', kubeconfig);
        assert.equal(code, 1);
        assert.match(err, message);
        assert.equal(await isRunning(), false);
      });
  });

  it('has its files where the editor finds them', async () => {
    await caravan('join', '--token', await token(cloud, 'a.yaml'));
    const site = await readFile(join(home, 'data', 'caravan', 'local_router', 'config', 'site.yaml'), 'utf8');
    assert.match(site, /autoListen: loopback/);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
