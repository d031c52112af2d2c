import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import { takeWay, wayName, waysOf } from './link-ways.ts';

const ENDPOINTS = [
  { host: '2001:db8::7', port: 8443 },
  { host: 'shop.example.com', port: 443, tunnel: { url: 'https://shop.example.com/caravan' } },
];
const portForward = { context: 'prod', namespace: 'shop' };
const { signal } = new AbortController();

describe('the ways of a link', () => {
  it('are its endpoints, which need nothing more', async () => {
    const ways = waysOf({ endpoints: ENDPOINTS, portForward: undefined });
    assert.deepEqual(ways.map(wayName), ['[2001:db8::7]:8443', 'https://shop.example.com/caravan']);
    assert.deepEqual(await takeWay(ways[1]!, undefined, signal), ENDPOINTS[1]);
  });

  it('are its port-forward alone where it has one', async (t) => {
    const ways = waysOf({ endpoints: ENDPOINTS, portForward });
    assert.deepEqual(ways.map(wayName), ['kubernetes context prod, namespace shop']);
    const transport = new Duplex();
    const dial = t.mock.fn(async () => transport);
    assert.equal((await takeWay(ways[0]!, dial, signal)).transport, transport);
    assert.deepEqual(dial.mock.calls[0]?.arguments, [portForward, signal]);
  });

  it('lead nowhere without a kubeconfig', async () => {
    const [way] = waysOf({ endpoints: [], portForward });
    const message = 'this router cannot use a kubeconfig; run it where one is at hand';
    await assert.rejects(takeWay(way!, undefined, signal), { message });
  });
});
