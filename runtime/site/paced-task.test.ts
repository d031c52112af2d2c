import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { PacedTask } from './paced-task.ts';

describe('a task that many changes ask for', () => {
  it('runs once for all requests of a turn', async () => {
    let runs = 0;
    const task = new PacedTask(() => runs++);
    for (let request = 0; request < 10; request++) task.request();
    assert.equal(runs, 0);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(runs, 1);
  });

  it('rests after a costly run, and then does what was asked for meanwhile', (context) => {
    context.mock.timers.enable({ apis: ['setTimeout', 'setImmediate'] });
    let now = 1000;
    mock.method(performance, 'now', () => now);
    let runs = 0;
    const task = new PacedTask(() => {
      runs++;
      now += 100;
    });
    task.request();
    context.mock.timers.tick(1);
    assert.equal(runs, 1);
    task.request();
    context.mock.timers.tick(399);
    assert.equal(runs, 1, 'it rests four times as long as it took');
    context.mock.timers.tick(1);
    assert.equal(runs, 2);
    mock.restoreAll();
  });

  it('does nothing more once it is stopped', async () => {
    let runs = 0;
    const task = new PacedTask(() => runs++);
    task.request();
    task.stop();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(runs, 0);
  });
});
