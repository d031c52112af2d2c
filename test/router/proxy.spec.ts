/** The network's services by the names that pods use, with a real curl and real sites. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { Resource } from '../../runtime/site/resources.ts';
import { silentLog } from '../../runtime/log.ts';
import { Site } from '../../runtime/site/site.ts';
import { caravan, type Outcome } from '../support/caravan.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { until } from '../support/until.ts';
import { type SiteProcess, SiteProcesses } from './site-processes.ts';

const SITE: Resource = { kind: 'Site', name: 'west', spec: { edge: false, settings: {} }, where: 'the test' };

describe('curl through the proxy of a laptop', () => {
  let sites: SiteProcesses;
  let laptop: SiteProcess;
  /** In a namespace, as far as the network can tell. */
  let west: Site;
  let web: Server;
  let port: number;
  let proxy: string;

  before(async () => {
    web = createServer((request, response) => void response.end(`${request.url} at ${request.headers.host}`));
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    ({ port } = web.address() as AddressInfo);
    sites = await SiteProcesses.make();
    [laptop] = await sites.start('laptop');
    west = await Site.start({
      store: new MemoryStore(),
      sources: [{ watch: async (changed) => changed({ resources: [SITE], problems: [] }), close: async () => {} }],
      platform: 'kubernetes',
      namespace: 'shop',
      log: silentLog,
    });
    await west.redeemToken(await laptop.api.issueToken({}));
    await west.expose({ address: 'backend', port });
    await laptop.status('backend', ({ services }) => services.some(({ destinations }) => destinations.length > 0));
    const { code, out } = await caravan(['proxy', '--port', '0', '-o', 'json', '--socket', laptop.socket]);
    assert.equal(code, 0);
    const { host, port: at } = JSON.parse(out) as { host: string; port: number };
    proxy = `${host}:${at}`;
  });
  after(async () => {
    await west.close();
    await sites.stop();
    web.closeAllConnections();
    web.close();
  });

  const names = ['backend', 'backend.shop', 'backend.shop.svc', 'backend.shop.svc.cluster.local'];
  for (const [how, options] of [
    ['as an HTTP proxy', () => ['--proxy', `http://${proxy}`]],
    ['with CONNECT', () => ['--proxytunnel', '--proxy', `http://${proxy}`]],
    ['with SOCKS5', () => ['--socks5-hostname', proxy]],
  ] as const)
    describe(how, () => {
      for (const name of names)
        it(`reaches the service as ${name}`, async () => {
          const { code, out, err } = await curl([...options(), `http://${name}:${port}/a?b`]);
          assert.deepEqual([code, out], [0, `/a?b at ${name}:${port}`], err);
        });

      it('reaches this computer as without it', async () => {
        const { out } = await curl([...options(), `http://localhost:${port}/`]);
        assert.equal(out, `/ at localhost:${port}`);
      });

      it('takes no name of a namespace without a site for one of the network', async () => {
        const { code, out, err } = await curl([...options(), '-f', `http://backend.elsewhere.svc.cluster.local:${port}/`]);
        assert.notEqual(code, 0, out);
        assert.match(err, /502|SOCKS5/);
      });
    });

  it('names the ports that a service has', async () => {
    const { out } = await curl(['--proxy', `http://${proxy}`, '-w', ' %{http_code}', `http://backend.shop:${port + 1}/`]);
    assert.equal(out, `backend has the port ${port}, not ${port + 1}.\n 502`);
  });

  it('needs nothing but what the command prints', async () => {
    const { out: printed } = await caravan(['proxy', '--socket', laptop.socket]);
    const exports = printed.split('\n').filter((line) => line.startsWith('export '));
    assert.equal(exports.length, 4);
    const script = `${exports.join('\n')}\ncurl --silent --max-time 20 http://backend.shop:${port}/ http://127.0.0.1:${port}/`;
    const { out, err } = await run('sh', ['-c', script]);
    assert.equal(out, `/ at backend.shop:${port}/ at 127.0.0.1:${port}`, err);
  });

  it('finds it at the same port after a restart', async () => {
    await laptop.stop();
    await laptop.start();
    await laptop.status('backend again', ({ services }) => services.some(({ destinations }) => destinations.length > 0));
    const [host, at] = proxy.split(':');
    assert.deepEqual((await laptop.api.status()).proxy, { host, port: Number(at) });
    const { out } = await curl(['--socks5-hostname', proxy, `http://backend.shop:${port}/`]);
    assert.equal(out, `/ at backend.shop:${port}`);
  });

  it('is told the reason where a port cannot be had, and loses nothing', async () => {
    const { code, err } = await caravan(['proxy', '--port', String(port), '--socket', laptop.socket]);
    assert.equal(code, 1);
    assert.match(err, new RegExp(`^caravan: The proxy cannot be opened: port ${port} on 127.0.0.1 is in use.*\\n$`));
    assert.equal(`127.0.0.1:${(await laptop.api.status()).proxy!.port}`, proxy);
  });

  it('follows the site’s resource, which wins over the command', async () => {
    const { port: chosen } = (await laptop.api.status()).proxy!;
    const site = { apiVersion: 'skupper.io/v2alpha1', kind: 'Site', metadata: { name: 'laptop' } };
    await laptop.write('site.yaml', [{ ...site, spec: { settings: { proxyPort: '0' } } }]);
    const moved = await laptop.status('another port', ({ proxy: now }) => now && now.port !== chosen && now.port);
    const { out } = await curl(['--proxy', `http://127.0.0.1:${moved}`, `http://localhost:${port}/`]);
    assert.equal(out, `/ at localhost:${port}`);
    const { code, err } = await caravan(['proxy', '--stop', '--socket', laptop.socket]);
    assert.equal(code, 1);
    assert.match(err, /site\.yaml:1/);
    await laptop.write('site.yaml', [{ ...site, spec: {} }]);
    await laptop.status("the command's port", ({ proxy: now }) => now?.port === chosen);
    assert.equal((await caravan(['proxy', '--stop', '--socket', laptop.socket])).out, 'The proxy is closed.\n');
    await until('the proxy to be gone', async () => (await laptop.api.status()).proxy === undefined);
  });
});

function curl(args: string[]): Promise<Outcome> {
  return run('curl', ['--silent', '--show-error', '--max-time', '20', '--noproxy', '', ...args]);
}

function run(program: string, args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(program, args, (_error, out, err) => resolve({ code: child.exitCode, out, err }));
  });
}
