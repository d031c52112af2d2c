import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ingressUrl } from './ways-in.ts';

test('an Ingress is reached at a name, with a path where there is one', () => {
  const urls = {
    'shop.example.com': 'https://shop.example.com',
    ' shop.example.com/caravan/ ': 'https://shop.example.com/caravan',
    'http://shop.example.com:8080': 'http://shop.example.com:8080',
    'HTTPS://shop.example.com': 'HTTPS://shop.example.com',
  };
  for (const [typed, url] of Object.entries(urls)) assert.equal(ingressUrl(typed), url);
  for (const typed of [
    '',
    'shop',
    '192.0.2.1',
    '[2001:db8::7]',
    'me:pw@shop.example.com',
    'shop.example.com?a',
    'ftp://a.example',
    'a b.example',
  ])
    assert.equal(ingressUrl(typed), undefined, typed);
});
