import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { createServer } from 'node:tls';
import { TestAuthority } from '../../../test/support/certificates.ts';
import { connectToTarget } from '../tcp/tcp-target.ts';

it('the authorities of SSL_CERT_FILE verify a server whose connector names none', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'caravan-'));
  context.after(() => rm(folder, { recursive: true }));
  const authority = await TestAuthority.make();
  await writeFile(join(folder, 'ca.pem'), authority.certificate);
  process.env['SSL_CERT_FILE'] = join(folder, 'ca.pem');
  const { certificate, key } = await authority.issue(['db.example']);
  const server = createServer({ cert: certificate, key }, (socket) => socket.end('hello'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const target = { host: '127.0.0.1', port, name: 'db' };
  const connection = await connectToTarget(target, { tls: { serverName: 'db.example' } });
  assert.equal(String(await once(connection, 'data')), 'hello');
  connection.destroy();
  await assert.rejects(connectToTarget(target, { tls: { serverName: 'other.example' } }), {
    name: 'StreamError',
    message: 'db shows a certificate for db.example, not for other.example',
  });
});
