import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog, logLevel, sparing } from './log.ts';

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

for (const format of ['text', 'json'] as const)
  test(`nothing in a line of ${format} acts in a terminal`, () => {
    let text = '';
    const log = createLog({ level: 'debug', format, write: (line) => (text = line), now });
    const peer = 'a\u001b[2J\r\nb\u009b2J\u202ec';
    log.named(peer).warn(`refused ${peer}`, { peer, [peer]: new Error(peer) });
    assert.ok(text.endsWith('\n'));
    assert.doesNotMatch(text.slice(0, -1), /[\p{Cc}\u202e]/u);
    if (format === 'json') assert.equal((JSON.parse(text) as { peer: string }).peer, peer);
  });

test('what strangers cause is logged sparingly, and what was left out is counted', () => {
  const lines: string[] = [];
  let time = 0;
  const write = (line: string) => lines.push(JSON.parse(line) as never);
  const log = sparing(createLog({ level: 'info', format: 'json', write, now }), { most: 2, perMs: 1000, now: () => time });
  for (let i = 0; i < 5; i++) log.warn('refused', { i });
  log.warn('another');
  time = 1000;
  log.warn('refused', { i: 5 });
  time = 5000;
  log.warn('refused', { i: 6 });
  const told = (lines as unknown as Record<string, unknown>[]).map(({ message, i, before }) => [message, i, before]);
  assert.deepEqual(told, [
    ['refused', 0, undefined],
    ['refused', 1, undefined],
    ['another', undefined, undefined],
    ['refused', 5, '3 more lines like this'],
    ['refused', 6, undefined],
  ]);
});
