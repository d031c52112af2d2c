import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesSelector } from '../pods.ts';
import { parseLabelSelector } from './label-selector.ts';

const picks = (selector: string, labels: Record<string, string>) =>
  matchesSelector({ metadata: { labels } }, parseLabelSelector(selector)!);

test('selectors pick as kubectl does', () => {
  assert.ok(picks('app=backend', { app: 'backend', x: '1' }));
  assert.ok(picks('app == backend, tier!=web', { app: 'backend' }));
  assert.ok(!picks('app=backend,tier!=web', { app: 'backend', tier: 'web' }));
  assert.ok(picks('tier in (web, api),app', { tier: 'api', app: 'x' }));
  assert.ok(!picks('tier notin (web,api)', { tier: 'api' }));
  assert.ok(picks('!canary', { app: 'x' }));
  assert.ok(!picks('app.kubernetes.io/name=caravan,!canary', { 'app.kubernetes.io/name': 'caravan', canary: '' }));
});

test('what is no selector is none', () => {
  for (const text of ['', 'a b', 'app=', ',', 'tier in web', '=x']) {
    if (text === 'app=') assert.ok(parseLabelSelector(text));
    else assert.equal(parseLabelSelector(text), undefined, text);
  }
});
