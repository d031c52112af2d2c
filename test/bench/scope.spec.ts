import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Scope } from './scope.ts';

/** Something that takes until `let go` to end. */
function slow() {
  let letGo = () => {};
  const ended = new Promise<void>((resolve) => (letGo = resolve));
  return { stop: () => ended, letGo };
}

describe('a scope', () => {
  it('ends what was started last first, and all of it where one cannot be ended', async () => {
    const scope = new Scope();
    const ended: string[] = [];
    const thing = (name: string) => ({ stop: () => void ended.push(name) });
    scope.use(thing('first'));
    scope.use({ stop: () => Promise.reject(new Error('it stays')) });
    scope.use(thing('last'));
    await assert.rejects(scope.stop(), /it stays/);
    assert.deepEqual(ended, ['last', 'first']);
  });

  it('has ended for nobody before it has for all', async () => {
    const scope = new Scope();
    const thing = scope.use(slow());
    let ended = 0;
    const both = [scope.stop(), scope.stop()].map((stop) => stop.then(() => ended++));
    await setImmediate();
    assert.equal(ended, 0);
    thing.letGo();
    await Promise.all(both);
  });

  it('ends what comes too late as well', async () => {
    const scope = new Scope();
    const thing = scope.use(slow());
    const stop = scope.stop();
    let ended = false;
    assert.throws(() => scope.use({ stop: () => void (ended = true) }), /told to end/);
    thing.letGo();
    await stop;
    assert.equal(ended, true);
    await new Promise<void>((resolve) => {
      assert.throws(() => scope.use({ stop: resolve }), /told to end/);
    });
  });
});
