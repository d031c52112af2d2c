import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { proxyHeader } from './proxy-header.ts';

/** proxy-protocol.txt, section 2.2. */
const SIGNATURE = '0d0a0d0a000d0a515549540a';

describe('a PROXY header, version 2', () => {
  it('names two ends of IPv4', () => {
    const header = proxyHeader({
      client: { host: '203.0.113.7', port: 51_234 },
      listener: { host: '10.0.0.1', port: 443 },
    });
    assert.equal(header.toString('hex'), `${SIGNATURE}2111000ccb0071070a000001c82201bb`);
  });

  for (const [host, bytes] of [
    ['2001:db8::1', '20010db8000000000000000000000001'],
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['fe80::', 'fe800000000000000000000000000000'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['64:ff9b::192.0.2.33', '0064ff9b0000000000000000c0000221'],
  ] as const)
    it(`names two ends of IPv6: ${host}`, () => {
      const header = proxyHeader({ client: { host, port: 1 }, listener: { host: '::1', port: 2 } });
      assert.equal(header.toString('hex'), `${SIGNATURE}21210024${bytes}0000000000000000000000000000000100010002`);
    });

  it('tells the protocol that TLS agreed on', () => {
    const header = proxyHeader({
      client: { host: '203.0.113.7', port: 1 },
      listener: { host: '10.0.0.1', port: 2 },
      alpn: 'h2',
    });
    assert.equal(header.toString('hex'), `${SIGNATURE}21110011cb0071070a000001000100020100026832`);
  });

  it('says that the ends are not known, or are of two families', () => {
    const unknown = `${SIGNATURE}21000000`;
    assert.equal(proxyHeader({}).toString('hex'), unknown);
    assert.equal(proxyHeader({ client: { host: '10.0.0.1', port: 1 } }).toString('hex'), unknown);
    const mixed = { client: { host: '10.0.0.1', port: 1 }, listener: { host: '::1', port: 2 } };
    assert.equal(proxyHeader(mixed).toString('hex'), unknown);
  });
});
