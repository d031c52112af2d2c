import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startedWithin } from './lifetime.ts';

class Site {
  closed = false;
  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

test('what has not started when the end comes is closed once it has, and its failure is nothing to tell', async () => {
  const site = new Site();
  const running = new Promise<string>(() => {});
  assert.equal(await startedWithin({ ended: running }, Promise.resolve(site)), site);
  await assert.rejects(startedWithin({ ended: running }, Promise.reject(new Error('no'))), /no/);
  assert.equal(site.closed, false);

  const ended = Promise.resolve('SIGTERM');
  let start!: (late: Site) => void;
  const starting = new Promise<Site>((resolve) => {
    start = resolve;
  });
  const late = startedWithin({ ended }, starting);
  await new Promise((resolve) => setImmediate(resolve));
  start(site);
  assert.deepEqual([await late, site.closed], [undefined, true]);
  const failing = new Promise<Site>((_resolve, reject) => void setImmediate(reject, new Error('aborted')));
  assert.equal(await startedWithin({ ended }, failing), undefined);
});
