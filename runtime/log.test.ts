import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog, logLevel } from './log.ts';

const now = () => new Date('2026-01-02T03:04:05.678Z');

test('a line tells level, component, message and details', () => {
  const lines: string[] = [];
  const log = createLog({ level: 'info', format: 'json', write: (line) => lines.push(line), now });
  log.named('link').info('connected', { peer: 'west', cost: 1, nothing: undefined });
  log.debug('not written');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    [{ time: '2026-01-02T03:04:05.678Z', level: 'info', component: 'link', message: 'connected', peer: 'west', cost: 1 }],
  );
});

test('text is for people', () => {
  let text = '';
  const log = createLog({ level: 'debug', format: 'text', write: (line) => (text = line), now });
  log.warn('refused', { reason: 'no way in', error: new Error('boom') });
  assert.match(text, /^\d\d:04:05 warn {2}caravan: refused reason="no way in" error=boom\n$/);
});

test('keys and codes are never written', () => {
  let text = '';
  const log = createLog({ level: 'debug', format: 'json', write: (line) => (text += line), now });
  const pem = '-----BEGIN EC PRIVATE KEY-----\nAAAASECRET\n-----END EC PRIVATE KEY-----';
  log.info(`read ${pem}`, { code: 'AAAASECRET', 'tls.key': 'AAAASECRET', claimCode: 'AAAASECRET', nested: { pem } });
  assert.doesNotMatch(text, /AAAASECRET/);
});

test('the level comes from CARAVAN_LOG, and a word that is none means info', () => {
  assert.equal(logLevel('debug'), 'debug');
  assert.equal(logLevel('silent'), 'silent');
  assert.equal(logLevel('loud'), 'info');
  assert.equal(logLevel(undefined), 'info');
});
