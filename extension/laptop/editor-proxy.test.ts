import assert from 'node:assert/strict';
import { test } from 'node:test';
import { editorProxy } from './editor-proxy.ts';

const proxyOf = (settings: Record<string, unknown>) =>
  editorProxy({ get: <T>(name: string, otherwise: T) => (settings[name] as T | undefined) ?? otherwise });

test('the editor’s proxy is a router’s, with the hosts that go without it, unless it is switched off', () => {
  assert.deepEqual(proxyOf({}), {});
  assert.deepEqual(proxyOf({ proxy: 'http://proxy.example:3128' }), { HTTPS_PROXY: 'http://proxy.example:3128' });
  const settings = { proxy: 'http://proxy.example:3128', noProxy: ['.example', '10.0.0.0/8'] };
  assert.deepEqual(proxyOf(settings), { HTTPS_PROXY: 'http://proxy.example:3128', NO_PROXY: '.example,10.0.0.0/8' });
  assert.deepEqual(proxyOf({ ...settings, proxySupport: 'off' }), {});
  assert.deepEqual(
    proxyOf({ proxy: 'socks5://proxy.example:1080' }),
    {},
    'links go without it, as they would without the setting',
  );
});
