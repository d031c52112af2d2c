import assert from 'node:assert/strict';
import { test } from 'node:test';
import { table } from './cli/table.ts';
import { ago, counted, duration, milliseconds, printable, printableLines, reachedAt } from './words.ts';

const now = new Date('2026-01-02T12:00:00Z');
const before = (seconds: number) => new Date(now.getTime() - seconds * 1000).toISOString();

test('a time is told as people do', () => {
  const told = [0, 4, 5, 59, 60, 119, 180, 3600, 7200, 86_400, 200_000].map((seconds) => ago(before(seconds), now));
  assert.deepEqual(told, [
    'just now',
    'just now',
    '5 seconds ago',
    '59 seconds ago',
    '1 minute ago',
    '1 minute ago',
    '3 minutes ago',
    '1 hour ago',
    '2 hours ago',
    '1 day ago',
    '2 days ago',
  ]);
});

test('an IPv6 address is told in brackets, and a tunnel by its URL', () => {
  assert.equal(reachedAt({ host: '203.0.113.7', port: 8443 }), '203.0.113.7:8443');
  assert.equal(reachedAt({ host: 'fd00::1', port: 8443 }), '[fd00::1]:8443');
  const tunnel = 'https://shop.example.com/caravan';
  assert.equal(reachedAt({ host: 'shop.example.com', port: 443, tunnel }), tunnel);
});

test('a clock that runs ahead does not make times of the future', () => {
  assert.equal(ago(before(-300), now), 'just now');
  assert.equal(duration(-300), '0 seconds');
});

test('counts and round trips', () => {
  assert.deepEqual(
    [0, 1, 2].map((count) => counted(count, 'link')),
    ['0 links', '1 link', '2 links'],
  );
  assert.deepEqual([undefined, 0.04, 0.42, 9.96, 23.4].map(milliseconds), ['', '0.0 ms', '0.4 ms', '10.0 ms', '23 ms']);
});

test('a table has columns and no spaces at the ends of lines', () => {
  assert.equal(
    table(
      ['A', 'LONG'],
      [
        ['×3', ''],
        ['aaa', 'b'],
      ],
    ),
    'A    LONG\n×3\naaa  b\n',
  );
});

test('what other sites write does not act in a terminal', () => {
  assert.equal(printable('plain ×3 → ümlaut'), 'plain ×3 → ümlaut');
  assert.equal(
    printable('\u001b]0;x\u0007 a\tb\r\nc \u009b \u202e \u2028'),
    '\\u001b]0;x\\u0007 a\\tb\\r\\nc \\u009b \\u202e \\u2028',
  );
  assert.equal(printableLines('a\u001b\nb\n'), 'a\\u001b\nb\n');
});
