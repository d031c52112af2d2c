import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connectTarget, forwardTarget, requestHeaders, responseHeaders } from './http-message.ts';

describe('the target of CONNECT', () => {
  for (const [target, host, port] of [
    ['backend:8080', 'backend', 8080],
    ['backend.shop.svc.cluster.local:80', 'backend.shop.svc.cluster.local', 80],
    ['127.0.0.1:65535', '127.0.0.1', 65_535],
    ['[::1]:443', '::1', 443],
  ] as const)
    test(target, () => assert.deepEqual(connectTarget(target), { host, port }));

  for (const target of [
    '',
    'backend',
    'backend:',
    'backend:0',
    'backend:65536',
    'backend:http',
    ':80',
    '::1:80',
    '[::1]',
    '[backend]:80',
    'http://backend:80',
    'a@b:80',
    'a/b:80',
    'a b:80',
  ])
    // prettier-ignore
    test(`${target || 'nothing'} is none`, () => assert.equal(connectTarget(target), undefined));
});

describe('the target of a request', () => {
  for (const [target, host, port, authority, path] of [
    ['http://backend/', 'backend', 80, 'backend', '/'],
    ['http://backend', 'backend', 80, 'backend', '/'],
    ['HTTP://Backend:8080/a%20b?c=d&e', 'backend', 8080, 'backend:8080', '/a%20b?c=d&e'],
    ['http://backend?x', 'backend', 80, 'backend', '/?x'],
    ['http://[::1]:81/x', '::1', 81, '[::1]:81', '/x'],
  ] as const)
    test(target, () => assert.deepEqual(forwardTarget(target), { host, port, authority, path }));

  for (const target of [
    '/',
    '*',
    '',
    'https://backend/',
    'ftp://backend/',
    'backend:80',
    'http://',
    'http://a:0/',
    'http://a:99999/',
    'http://user@backend/',
    'http://user:password@backend/',
  ])
    // prettier-ignore
    test(`${target || 'nothing'} is none`, () => assert.equal(forwardTarget(target), undefined));
});

describe('headers', () => {
  test('of one connection only are not passed on, nor what Connection names', () => {
    const raw = ['Host', 'evil', 'Connection', 'Keep-Alive, X-Mine', 'Keep-Alive', '5', 'X-Mine', '1', 'Proxy-Connection', 'x', 'Proxy-Authorization', 'Basic x', 'TE', 'trailers', 'Trailer', 'x', 'Upgrade', 'h2c', 'Expect', '100-continue', 'Accept', 'a', 'accept', 'b']; // prettier-ignore
    assert.deepEqual(requestHeaders(raw, 'backend:80'), ['Host', 'backend:80', 'Accept', 'a', 'accept', 'b', 'Connection', 'keep-alive', 'Via', '1.1 caravan']); // prettier-ignore
  });
  test('keep how the body ends', () => {
    const chunked = requestHeaders(['Transfer-Encoding', 'chunked'], 'a');
    assert.deepEqual(chunked.slice(2, 4), ['Transfer-Encoding', 'chunked']);
    assert.deepEqual(requestHeaders(['Content-Length', '3', 'Connection', 'content-length'], 'a').slice(2, 4), ['Content-Length', '3']); // prettier-ignore
  });
  test('of an answer stay as they are, each as often as it was there', () => {
    const raw = ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Connection', 'close', 'Transfer-Encoding', 'chunked', 'Content-Length', '4']; // prettier-ignore
    assert.deepEqual(responseHeaders(raw), ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Content-Length', '4', 'Via', '1.1 caravan']); // prettier-ignore
  });
});
