import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Failures, FIRST_ASIDE_MS, MOST_ASIDE_MS } from './failures.ts';

const ALL = [{ key: 'a' }, { key: 'b' }];

function ready(failures: Failures, now: number): string {
  return failures
    .ready('backend', ALL, now)
    .map(({ key }) => key)
    .join('');
}

describe('a destination that failed', () => {
  it('comes behind the others for a while, then one more is sent there, and after success as many as to the others', () => {
    const failures = new Failures();
    failures.failed('backend', 'a', 1000);
    assert.equal(ready(failures, 1000), 'b');
    assert.equal(ready(failures, 1000 + FIRST_ASIDE_MS - 1), 'b');
    assert.equal(ready(failures, 1000 + FIRST_ASIDE_MS), 'ab');
    failures.tried('backend', 'a', 1000 + FIRST_ASIDE_MS);
    assert.equal(ready(failures, 1000 + FIRST_ASIDE_MS), 'b', 'the others wait for how that ends');
    failures.took('backend', 'a');
    assert.equal(ready(failures, 1000 + FIRST_ASIDE_MS), 'ab');
    assert.equal(failures.has('backend'), false);
  });

  it('does so for twice as long each time that it fails again, up to a limit', () => {
    const failures = new Failures();
    failures.failed('backend', 'a', 0);
    const pauses: number[] = [];
    for (let now = FIRST_ASIDE_MS; pauses.length < 6;) {
      failures.tried('backend', 'a', now);
      failures.failed('backend', 'a', now + 1);
      let pause = 0;
      while (failures.isAside('backend', 'a', now + pause)) pause += 1000;
      pauses.push(pause);
      now += pause;
    }
    assert.deepEqual(pauses, [10_000, 20_000, 40_000, MOST_ASIDE_MS, MOST_ASIDE_MS, MOST_ASIDE_MS]);
  });

  it('counts once for all that were on their way to it', () => {
    const failures = new Failures();
    for (let count = 0; count < 100; count++) failures.tried('backend', 'a', 0);
    for (let count = 0; count < 100; count++) failures.failed('backend', 'a', 10);
    assert.equal(failures.isAside('backend', 'a', 10 + FIRST_ASIDE_MS), false);
  });

  it('is as good as any other where all have failed, and in another address', () => {
    const failures = new Failures();
    for (const { key } of ALL) failures.failed('backend', key, 0);
    assert.equal(ready(failures, 1), 'ab');
    assert.equal(failures.isAside('orders', 'a', 1), false);
  });

  it('is forgotten when it has not been there for long, and with its address', () => {
    const failures = new Failures();
    failures.failed('backend', 'gone', 0);
    failures.failed('backend', 'a', FIRST_ASIDE_MS + MOST_ASIDE_MS + 1);
    failures.took('backend', 'a');
    assert.equal(failures.has('backend'), false);
    failures.failed('backend', 'a', 0);
    failures.forget('backend');
    assert.equal(failures.isAside('backend', 'a', 1), false);
  });

  it('is forgotten by who wants its address, and where nobody does by the first failure of another', () => {
    const late = FIRST_ASIDE_MS + MOST_ASIDE_MS;
    const failures = new Failures();
    for (const address of ['backend', 'orders']) failures.failed(address, 'a', 0);
    assert.equal(ready(failures, late), 'ab');
    assert.equal(failures.has('backend'), true, 'it may be there: more is known of it');
    assert.equal(ready(failures, late + 1), 'ab');
    assert.equal(failures.has('backend'), false);
    failures.failed('users', 'a', late + 1);
    assert.equal(failures.has('orders'), false);
    assert.equal(failures.has('users'), true);
  });
});
