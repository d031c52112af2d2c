import assert from 'node:assert/strict';
import { afterEach, describe, it, mock } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import { until } from '../../test/support/until.ts';
import { carried } from '../link/carried.ts';
import { compileOnceBusy } from './compilers.ts';

/** Of what V8 says of a function: an optimizing compiler has made its code. */
const OPTIMIZED = 1 << 4;
const SOURCE = '(times) => { let sum = 0; for (let at = 0; at < times; at++) sum += at % 7; return sum; }';

setFlagsFromString('--allow-natives-syntax');
const statusOf = runInThisContext('(of) => %GetOptimizationStatus(of)') as (of: unknown) => number;

describe("V8's compilers", () => {
  afterEach(() => mock.reset());

  it('wait until links have carried something', async () => {
    compileOnceBusy();
    const work = new Work();
    await work.staysAsItIs();
    carried(1024 * 1024);
    await work.isCompiled();
  });

  it('wait until the process has been busy for a while, without a rest', async () => {
    let busyMs = 0;
    mock.timers.enable({ apis: ['setInterval'] });
    mock.method(process, 'cpuUsage', () => ({ user: busyMs * 1000, system: 0 }));
    compileOnceBusy();
    const work = new Work();
    for (const each of [900, 900, 900, 900, 10, 900, 900, 900, 900]) {
      busyMs = each;
      mock.timers.tick(1000);
    }
    await work.staysAsItIs();
    mock.timers.tick(1000);
    await work.isCompiled();
  });
});

/** A function that is called again and again. */
class Work {
  readonly #function = runInThisContext(SOURCE) as (times: number) => number;

  async staysAsItIs(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) {
      assert.ok(!this.#worked(), 'it was compiled');
      // A compiler works in a thread of its own and hands over between two turns.
      await setImmediate();
    }
  }

  async isCompiled(): Promise<void> {
    await until('it to be compiled', () => this.#worked());
  }

  #worked(): boolean {
    for (let call = 0; call < 100; call++) this.#function(10_000);
    return (statusOf(this.#function) & OPTIMIZED) !== 0;
  }
}
