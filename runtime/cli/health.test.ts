import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { fakeStatus } from '../../test/support/fake-site.ts';
import type { Status } from '../api/types.ts';
import { serveHealth } from './health.ts';

const ADDRESSES = Object.values(networkInterfaces()).flatMap((list) => list ?? []);

test('probes are answered over IPv4 and IPv6, as far as there is either', async (t) => {
  const port = await freePort();
  let ready = false;
  let status: Status | undefined;
  const health = await serveHealth(
    port,
    () => ready,
    () => status,
  );
  t.after(() => health.close());
  const hosts = ['127.0.0.1', '::1'].filter((host) => ADDRESSES.some(({ address }) => address === host));
  for (const host of hosts.map((one) => (one.includes(':') ? `[${one}]` : one))) {
    ready = false;
    assert.equal((await fetch(`http://${host}:${port}/healthz`)).status, 503, host);
    assert.equal((await fetch(`http://${host}:${port}/livez`)).status, 200, `${host}, which lives before it is ready`);
    ready = true;
    assert.equal((await fetch(`http://${host}:${port}/healthz`)).status, 200, host);
    assert.equal((await fetch(`http://${host}:${port}/`)).status, 404, host);
    status = undefined;
    assert.equal((await fetch(`http://${host}:${port}/metrics`)).status, 503, host);
    status = fakeStatus('west');
    assert.match(await (await fetch(`http://${host}:${port}/metrics`)).text(), /^caravan_info\{site="west",/m, host);
  }
  await assert.rejects(
    serveHealth(
      port,
      () => true,
      () => undefined,
    ),
    { code: 'conflict', message: /EADDRINUSE/ },
  );
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
