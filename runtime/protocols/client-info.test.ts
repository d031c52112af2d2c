import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { clientInfo, endsOf, isClientInfo } from './client-info.ts';

const good = { host: '192.0.2.1', port: 80 };

describe('what a neighbour says of a client', () => {
  for (const info of [
    {},
    { client: good, listener: { host: '2001:db8::1', port: 65_535 }, alpn: 'h2' },
    { alpn: 'x'.repeat(255) },
    { client: undefined },
  ])
    it(`may be ${JSON.stringify(info).slice(0, 80)}`, () => assert.ok(isClientInfo(info)));

  for (const info of [
    { client: 'here' },
    { client: null },
    { client: { host: 'name.example', port: 1 } },
    { client: { host: 'fe80::1%eth0', port: 1 } },
    { client: { host: '192.0.2.1' } },
    { client: { host: '192.0.2.1', port: '80' } },
    { listener: { host: '192.0.2.1', port: 65_536 } },
    { listener: { host: '192.0.2.1', port: -1 } },
    { listener: { host: '192.0.2.1', port: 1.5 } },
    { alpn: '' },
    { alpn: 'x'.repeat(256) },
    { alpn: 'h2\r\n' },
    { alpn: 5 },
  ])
    it(`must not be ${JSON.stringify(info).slice(0, 80)}`, () => assert.ok(!isClientInfo(info)));

  it('travels on without what was added to it', () => {
    const more = { client: { ...good, more: 1 }, alpn: 'h2', more: 2 };
    assert.deepEqual(clientInfo(more), { client: good, alpn: 'h2' });
  });
});

describe('the ends of a connection', () => {
  const ends = (remoteAddress?: string) =>
    endsOf(Object.assign(new PassThrough(), { remoteAddress, remotePort: 1, localAddress: '::1', localPort: 2 })).client;

  it('are of IPv4 also where the socket is of IPv6', () => {
    assert.deepEqual(ends('::ffff:192.0.2.1'), { host: '192.0.2.1', port: 1 });
  });

  it('have no zone', () => {
    assert.deepEqual(ends('fe80::1%eth0'), { host: 'fe80::1', port: 1 });
  });

  it('are not known of one that has gone', () => {
    assert.equal(ends(undefined), undefined);
  });
});
