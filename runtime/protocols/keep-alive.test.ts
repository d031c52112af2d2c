import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { it } from 'node:test';
import { dial, TestServer } from '../../test/support/tcp.ts';
import { until } from '../../test/support/until.ts';
import { silentLog } from '../log.ts';
import { acceptClients } from './accept-clients.ts';
import { connectToTarget } from './tcp/tcp-target.ts';

const skip = process.platform !== 'linux' && 'only Linux tells the timers of its sockets (/proc/net/tcp)';

it('silent connections of clients and to servers are asked within a minute whether they live', { skip }, async (t) => {
  const taken: Socket[] = [];
  const listener = await acceptClients('127.0.0.1', 0, { address: 'a', log: silentLog }, (socket) => taken.push(socket));
  const client = dial(listener.port);
  await once(client, 'connect');
  await until('the client to be taken', () => taken.length === 1);
  const server = await TestServer.start(() => {});
  const toServer = await connectToTarget({ host: '127.0.0.1', port: server.port, name: 'it' });
  t.after(async () => {
    for (const socket of [client, toServer, ...taken]) socket.destroy();
    listener.close();
    await server.stop();
  });
  assert.equal(await asksWithin(client), undefined, 'a connection of the test itself');
  for (const socket of [taken[0]!, toServer]) {
    const seconds = await asksWithin(socket);
    assert.ok(seconds !== undefined && seconds > 30 && seconds <= 60, `${seconds} s`);
  }
});

/** Seconds until the system asks the other end of a connection of IPv4; undefined where it never does. See proc_net_tcp.rst of Linux. */
async function asksWithin({ localPort, remotePort }: Socket): Promise<number | undefined> {
  const ends = [localPort, remotePort].map((port) => `0100007F:${port!.toString(16).toUpperCase().padStart(4, '0')}`);
  const line = (await readFile('/proc/net/tcp', 'utf8')).split('\n').find((each) => each.includes(ends.join(' ')));
  const [timer, when] = line!.trim().split(/\s+/)[5]!.split(':');
  // In hundredths of a second.
  return timer === '02' ? Number.parseInt(when!, 16) / 100 : undefined;
}
