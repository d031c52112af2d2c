/** Leaving and joining again, with real sites: what the laptop leaves behind shows at the other end. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ApiClient } from '../client.ts';
import { ApiServer } from '../server.ts';
import type { Status } from '../types.ts';
import { silentLog } from '../../log.ts';
import { directoryStore } from '../../site/directory-store.ts';
import { parseResources } from '../../site/resources.ts';
import { Site } from '../../site/site.ts';
import type { ResourceSource } from '../../site/source.ts';
import { until } from '../../../test/support/until.ts';
import { type Leaving, leaveNetwork } from './leave.ts';
import { siteYaml } from './local-router.ts';

const folder = mkdtempSync(join(tmpdir(), 'caravan-leave-'));
const never = new AbortController().signal;
const CLOUD = `
apiVersion: skupper.io/v2alpha1
kind: Site
metadata: { name: cloud }
---
apiVersion: skupper.io/v2alpha1
kind: RouterAccess
metadata: { name: links }
spec: { roles: [{ name: inter-router, port: 0 }], bindHost: 127.0.0.1 }
`;

/** A site as `caravan run` makes it, with its API; it ends when it is asked to stop. */
async function run(name: string, yaml: string): Promise<{ api: ApiClient; ended: Promise<void> }> {
  const socket = join(folder, `${name}.sock`);
  let stop!: () => void;
  const stopped = new Promise<void>((resolve) => (stop = resolve));
  const server = new ApiServer({ stop });
  await server.listenOnSocket(socket);
  const source: ResourceSource = {
    watch: (changed) => Promise.resolve(changed(parseResources(yaml, `${name}.yaml`))),
    close: () => Promise.resolve(),
  };
  const store = directoryStore(join(folder, name));
  const site = await Site.start({ store, sources: [source], platform: 'host', log: silentLog });
  server.attach(site);
  const ended = stopped.then(async () => {
    await site.close();
    await server.close();
  });
  return { api: ApiClient.overSocket(socket), ended };
}

const seen = (api: ApiClient, what: string, look: (status: Status) => unknown) =>
  until(what, async () => Boolean(look(await api.status())), { timeoutMs: 5000 });

describe('a laptop', () => {
  let cloud: Awaited<ReturnType<typeof run>>;
  before(async () => {
    cloud = await run('cloud', CLOUD);
  });
  after(async () => {
    await cloud.api.stop();
    await cloud.ended;
    rmSync(folder, { recursive: true });
  });

  async function joined(): Promise<Awaited<ReturnType<typeof run>>> {
    const laptop = await run('laptop', siteYaml('ada', { edge: true }));
    const { links: held, proxy } = await laptop.api.status();
    assert.deepEqual([held, proxy], [[], undefined], 'it starts with nothing');
    const { yaml } = await cloud.api.issueToken({});
    await laptop.api.redeemToken({ yaml });
    await seen(laptop.api, 'the link', ({ links }) => links[0]?.state === 'up');
    await laptop.api.expose({ address: 'cart', port: 3000 });
    await laptop.api.openProxy();
    await seen(cloud.api, 'what it offers', ({ services }) => services.some(({ address }) => address === 'cart'));
    return laptop;
  }

  test('that leaves is dropped by its network at once, leaves nothing, and can join again', async () => {
    for (let round = 0; round < 2; round++) {
      const laptop = await joined();
      await leaveNetwork(laptop.api, () => laptop.ended, never);
      const left = ({ sites, services, links }: Status) => sites.length === 1 && services.length === 0 && links.length === 0;
      await seen(cloud.api, 'nothing of the laptop', left);
    }
  });
});

/** A laptop that writes down what it is asked. */
function fake(fail: Record<string, Error> = {}): { api: Leaving; asked: string[] } {
  const asked: string[] = [];
  const answer = (call: string) => {
    asked.push(call);
    return fail[call] ? Promise.reject(fail[call]) : Promise.resolve();
  };
  const status = { connectors: [{ name: 'cart' }], links: [{ id: 'cloud', direction: 'outgoing' }, { id: 'from-x', direction: 'incoming' }] }; // prettier-ignore
  const api = {
    status: () => Promise.resolve(status),
    remove: ({ name }: { name: string }) => answer(`remove ${name}`),
    closeProxy: () => answer('close proxy'),
    leave: () => answer('leave'),
    stop: () => answer('stop'),
  };
  return { api: api as unknown as Leaving, asked };
}

describe('leaving', () => {
  const order = ['leave', 'remove cart', 'remove cloud', 'close proxy', 'stop'];
  test('tells the network before the links go', async () => {
    const { api, asked } = fake();
    await leaveNetwork(api, () => Promise.resolve(), never);
    assert.deepEqual(asked, order);
  });
  test('ends the router though something could not be removed', async () => {
    const { api, asked } = fake({ 'remove cart': new Error('The disk is full.') });
    await assert.rejects(
      leaveNetwork(api, () => Promise.resolve(), never),
      { message: 'The disk is full.' },
    );
    assert.deepEqual(asked, ['leave', 'remove cart', 'stop']);
  });
  test('does nothing where it was cancelled in time', async () => {
    const { api, asked } = fake();
    const cancelled = AbortSignal.abort(new Error('enough'));
    await assert.rejects(
      leaveNetwork(api, () => Promise.resolve(), cancelled),
      { message: 'enough' },
    );
    assert.deepEqual(asked, []);
  });
});
