import assert from 'node:assert/strict';
import { afterEach, it } from 'node:test';
import { until } from '../../test/support/until.ts';
import { closeSites, link, resourcesOf, start } from './sites.testkit.ts';

afterEach(closeSites);

it('what clients are shown is known everywhere, also when only a stand-in is left, and a site that differs is told', async () => {
  const [{ site: west }, { site: laptop, source }] = await Promise.all([start('west'), start('ada')]);
  await link(west, laptop);
  const made = await west.expose({ address: 'backend', port: 80, type: 'http', listenerCredentials: 'backend-tls' });
  const known = () => laptop.services().find(({ address }) => address === 'backend');
  await until('it to be known', () => known()?.listenerCredentials === 'backend-tls');
  await laptop.intercept({ address: 'backend', port: 3000, how: 'take-over' });
  await west.remove(made);
  await until('it to be withdrawn', () => known()?.destinations.length === 0);
  assert.equal(known()?.listenerCredentials, 'backend-tls');

  const spec = { routingKey: 'backend', host: '127.0.0.1', port: 80, type: 'http' as const, includeNotReadyPods: false };
  source.set([...resourcesOf('ada'), { kind: 'Connector', name: 'mine', spec: { ...spec, settings: {} }, where: 'the test' }]);
  await west.expose({ address: 'backend', port: 80, type: 'http', listenerCredentials: 'other-tls' });
  const warning = await until('the warning', () => known()?.warning);
  assert.match(warning, /as http balanced with the certificate of the Secret other-tls/);
});
