import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CaravanError } from '../errors.ts';
import { createLog } from '../log.ts';
import { startPatiently } from './start-patiently.ts';

function logged() {
  const lines: string[] = [];
  const { signal } = new AbortController();
  return { lines, options: { log: createLog({ level: 'info', write: (line) => lines.push(line) }), signal, firstRetryMs: 1 } };
}
const refused = () => new CaravanError('unreachable', 'It refuses connections.');

test('what cannot start yet is tried until it can, and told once', async () => {
  const { lines, options } = logged();
  let tries = 0;
  const start = () => (++tries < 5 ? Promise.reject(refused()) : Promise.resolve('started'));
  assert.equal(await startPatiently(start, options), 'started');
  assert.equal(tries, 5);
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /cannot start yet.*It refuses connections\./);
});

test('another reason is told, too', async () => {
  const { lines, options } = logged();
  const reasons = [refused(), refused(), new CaravanError('forbidden', 'It may not.')];
  const start = () => (reasons.length > 0 ? Promise.reject(reasons.shift()!) : Promise.resolve());
  await startPatiently(start, options);
  assert.equal(lines.length, 2);
});

test('a defect is not tried again, and the signal ends the trying', async () => {
  const { options } = logged();
  await assert.rejects(
    startPatiently(() => Promise.reject(new SyntaxError('not JSON')), options),
    /not JSON/,
  );
  const end = new AbortController();
  const start = () => {
    end.abort();
    return Promise.reject(refused());
  };
  await assert.rejects(startPatiently(start, { ...options, signal: end.signal, firstRetryMs: 60_000 }), { name: 'AbortError' });
});
