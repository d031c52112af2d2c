import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { serveHealth } from './health.ts';

const ADDRESSES = Object.values(networkInterfaces()).flatMap((list) => list ?? []);

test('probes are answered over IPv4 and IPv6, as far as there is either', async (t) => {
  const port = await freePort();
  let ready = false;
  const health = await serveHealth(port, () => ready);
  t.after(() => health.close());
  const hosts = ['127.0.0.1', '::1'].filter((host) => ADDRESSES.some(({ address }) => address === host));
  for (const host of hosts.map((one) => (one.includes(':') ? `[${one}]` : one))) {
    ready = false;
    assert.equal((await fetch(`http://${host}:${port}/healthz`)).status, 503, host);
    assert.equal((await fetch(`http://${host}:${port}/livez`)).status, 200, `${host}, which lives before it is ready`);
    ready = true;
    assert.equal((await fetch(`http://${host}:${port}/healthz`)).status, 200, host);
    assert.equal((await fetch(`http://${host}:${port}/`)).status, 404, host);
  }
  await assert.rejects(
    serveHealth(port, () => true),
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
