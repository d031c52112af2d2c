/** Sites that reach one another through an HTTP proxy only, as in companies. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, it } from 'node:test';
import { ConnectProxy } from '../../test/support/connect-proxy.ts';
import { DAY_MS, MovedClock } from '../../test/support/moved-clock.ts';
import { until } from '../../test/support/until.ts';
import type { Site } from './site.ts';
import { closeSites, start } from './sites.testkit.ts';

let proxy: ConnectProxy;
beforeEach(async () => {
  proxy = await ConnectProxy.start({ userinfo: 'me:hidden' });
  process.env['HTTPS_PROXY'] = `http://me:hidden@127.0.0.1:${proxy.port}`;
});
afterEach(async () => {
  delete process.env['HTTPS_PROXY'];
  await closeSites();
  await proxy.stop();
});

/** Redeems a token of `from`, which is found by a name that the proxy alone knows. */
async function join(from: Site, to: Site): Promise<string> {
  const { yaml } = await from.issueToken({});
  return (await to.redeemToken({ yaml: yaml.replace('//127.0.0.1', '//west.example') })).link;
}

it('a claim, its link and a renewal go through the proxy, and the link says so', async () => {
  const clock = new MovedClock(-250);
  const [west, east] = [await start('west', {}, { clock }), await start('east', {}, { clock })];
  const link = await join(west.site, east.site);
  const up = await until('the link', () => east.site.status().links.find(({ id, state }) => id === link && state === 'up'));
  const target = `west.example:${west.site.status().access[0]!.port}`;
  assert.deepEqual([up.endpoint, up.proxy], [target, `127.0.0.1:${proxy.port}`]);
  assert.deepEqual(proxy.targets, [target, target], 'the claim and the link');
  await until('the looks', () => clock.timers === 3);
  clock.pass(244 * DAY_MS);
  await until('the renewal', () => east.site.status().links[0]?.certificateEnds !== up.certificateEnds);
  assert.deepEqual(proxy.targets, [target, target, target]);
});

it('a proxy that lets nobody through is told, without the password', async () => {
  const [west, east] = [await start('west'), await start('east')];
  process.env['HTTPS_PROXY'] = `http://me:wrong@127.0.0.1:${proxy.port}`;
  const { port } = west.site.status().access[0]!;
  await assert.rejects(join(west.site, east.site), {
    code: 'unreachable',
    message: `The site at west.example:${port} cannot be reached: the proxy 127.0.0.1:${proxy.port} does not take the user and the password in HTTPS_PROXY.`,
  });
});
