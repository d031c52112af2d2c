import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MOST_HOLD_MS, Throttle } from './throttle.ts';

describe('throttle', () => {
  it('lets the first change through at once, and one after a calm time', () => {
    const throttle = new Throttle();
    assert.equal(throttle.request(0), true);
    assert.equal(throttle.request(60_000), true);
  });

  it('announces a burst twice: its first change, and later all the others together', () => {
    const throttle = new Throttle();
    assert.equal(throttle.request(0), true);
    for (let at = 1; at < 10; at++) assert.equal(throttle.request(at), false);
    assert.equal(throttle.isDue(49), false);
    assert.equal(throttle.isDue(50), true);
    assert.equal(throttle.isDue(1000), false, 'nothing waits any more');
  });

  it('lets a link that flaps ten times a second through about every five seconds', () => {
    const throttle = new Throttle();
    const announced: number[] = [];
    for (let at = 0; at < 60_000; at += 100) if (throttle.request(at)) announced.push(at);
    assert.ok(announced.length < 25, `${announced.length} announcements in a minute`);
    const last = announced.at(-1)! - announced.at(-2)!;
    assert.equal(last, MOST_HOLD_MS);
  });

  it('survives a clock that is set back', () => {
    const throttle = new Throttle();
    throttle.request(1_000_000);
    assert.equal(throttle.request(10), true);
  });
});
