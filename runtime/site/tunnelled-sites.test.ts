/** Sites that a proxy ends TLS before: claims, links and renewals go through a tunnel. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { parse } from 'yaml';
import { TestAuthority } from '../../test/support/certificates.ts';
import { freePort } from '../../test/support/free-port.ts';
import { DAY_MS, MovedClock } from '../../test/support/moved-clock.ts';
import { TestServer } from '../../test/support/tcp.ts';
import { TlsEndingProxy } from '../../test/support/tls-ending-proxy.ts';
import { until } from '../../test/support/until.ts';
import { NO_WAY_IN_HOST, tokenFromYaml, tokenToYaml } from '../identity/token.ts';
import type { Site } from './site.ts';
import { closeSites, link, resourcesOf, start } from './sites.testkit.ts';

let tunnelPort: number;
let proxy: TlsEndingProxy;
let settings: Record<string, string>;
beforeEach(async () => {
  const authority = await TestAuthority.make();
  tunnelPort = await freePort();
  proxy = await TlsEndingProxy.start(await authority.issue(['localhost']), tunnelPort);
  const tunnel = `https://localhost:${proxy.port}/shop`;
  settings = { tunnel, tunnelCa: authority.certificate, tunnelPort: String(tunnelPort) };
});
afterEach(async () => {
  await closeSites();
  await proxy.stop();
});

/** A site that is reached through the tunnel alone. */
function startBehind(name: string, clock = new MovedClock()) {
  return start(name, {}, { clock, access: settings });
}

const problems = (site: Site) => site.status().problems;

describe('a site behind a proxy that ends TLS', () => {
  it('lets others in through its tunnel, which their links and renewals go through as well', async () => {
    const clock = new MovedClock(-250);
    const west = await startBehind('west', clock);
    const east = await start('east', {}, { clock });
    const { yaml } = await west.site.issueToken({});
    const { url, settings: told } = tokenFromYaml(yaml);
    assert.equal(new URL(url).hostname, NO_WAY_IN_HOST);
    assert.deepEqual(told, { tunnel: settings['tunnel'], tunnelCa: settings['tunnelCa'] });
    await link(west.site, east.site);
    const up = east.site.status().links[0]!;
    assert.equal(up.endpoint, settings['tunnel']);
    await until('the looks', () => clock.timers === 3);
    clock.pass(244 * DAY_MS);
    await until('the renewal', () => east.site.status().links[0]?.certificateEnds !== up.certificateEnds);
    assert.equal(east.site.status().links[0]?.since, up.since);
  });

  it('says where it is reached', async () => {
    const west = await startBehind('west');
    const { tunnel } = settings;
    assert.deepEqual(west.site.status().access, [{ host: 'localhost', port: proxy.port, way: 'tunnel', tunnel }]);
    west.source.set(resourcesOf('west', {}, { ...settings, host: 'west.example' }));
    await until('both ways', () => {
      const ways = west.site.status().access.map(({ host, way }) => `${way} ${host}`);
      return ways.join() === 'direct west.example,tunnel localhost';
    });
  });

  it('is reached directly where that goes, and through the tunnel where it does not', async (t) => {
    const west = await startBehind('west');
    const silent = await TestServer.start((socket) => socket.destroy());
    t.after(() => silent.stop());
    const east = await start('east');
    const token = tokenFromYaml((await west.site.issueToken({})).yaml);
    const url = token.url
      .replace(`${NO_WAY_IN_HOST}:443`, `127.0.0.1:${silent.port}`)
      .replace(NO_WAY_IN_HOST, `127.0.0.1:${silent.port}`);
    const { link: name } = await east.site.redeemToken({ yaml: tokenToYaml({ ...token, url }) });
    await until('the link', () => east.site.status().links.some(({ id, state }) => id === name && state === 'up'));
    assert.equal(east.site.status().links[0]?.endpoint, settings['tunnel']);
    const [document] = east.store.entries.get(`resources/link-${name}`)!.split('---\n');
    const { spec } = parse(document!) as { spec: Record<string, unknown> };
    assert.deepEqual(spec['endpoints'], [{ name: 'inter-router', host: '127.0.0.1', port: String(silent.port) }]);
    assert.deepEqual(spec['settings'], { tunnel: settings['tunnel'], tunnelCa: settings['tunnelCa'] });
  });

  it('behind an Ingress that leads nowhere for a moment is asked again', async (t) => {
    let asked = 0;
    const ingress = await TestServer.start((socket) => {
      if (++asked === 1) return void socket.end('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n');
      const onward = connect({ host: '127.0.0.1', port: tunnelPort, allowHalfOpen: true }).on('error', () => socket.destroy());
      return void socket.pipe(onward).pipe(socket);
    });
    t.after(() => ingress.stop());
    settings = { tunnel: `http://127.0.0.1:${ingress.port}`, tunnelPort: String(tunnelPort) };
    const west = await startBehind('west');
    await link(west.site, (await start('east')).site);
    assert.ok(asked > 2, 'twice by the claim, then by the link');
  });

  it('tells what is wrong with its settings, and goes on', async () => {
    const west = await start('west', {}, { access: { tunnel: 'shop.example', tunnelPort: '0' } });
    assert.deepEqual(
      problems(west.site).map(({ message }) => message),
      [
        'RouterAccess links: settings.tunnel is no URL that leads to a site; use one such as https://shop.example.com/caravan.',
        'RouterAccess links: settings.tunnelPort is "0"; use a port from 1 to 65535.',
      ],
    );
    assert.equal(west.site.status().access[0]?.way, 'direct');
  });

  it('whose port for tunnels is in use says so, and has it once it is free', async (t) => {
    const other = await TestServer.start((socket) => socket.destroy());
    settings['tunnelPort'] = String(other.port);
    const west = await startBehind('west');
    t.after(() => other.stop().catch(() => {}));
    const message = `Tunnels cannot come in: port ${other.port} is in use by another program; end it, or choose another port.`;
    assert.deepEqual(problems(west.site), [{ where: 'RouterAccess', message }]);
    await other.stop();
    await until('the port', () => problems(west.site).length === 0);
  });
});
