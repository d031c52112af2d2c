import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DAY_MS, MovedClock } from '../../test/support/moved-clock.ts';
import { isDue, type Validity } from '../identity/validity.ts';
import { silentLog } from '../log.ts';
import { Renewal } from './renewal.ts';

/** A certificate that holds for 90 days, and that renews itself unless `broken`. */
function stage() {
  const clock = new MovedClock();
  const life = () => ({ from: clock.now(), until: clock.now() + 90 * DAY_MS });
  let validity: Validity = life();
  const seen = { clock, attempts: 0, broken: undefined as Error | undefined, changes: 0 };
  const renewal = new Renewal({
    what: 'a certificate',
    clock,
    validity: () => validity,
    isDue,
    renew: async () => {
      seen.attempts++;
      if (seen.broken) throw seen.broken;
      validity = life();
    },
    log: silentLog,
    changed: () => seen.changes++,
  });
  return { seen, renewal };
}

/** Lets time pass, and what looks at the certificate then come to its end. */
async function pass(clock: MovedClock, ms: number): Promise<void> {
  clock.pass(ms);
  await new Promise((resolve) => setImmediate(resolve));
}

it('a certificate is renewed at two thirds of its life, again and again', async () => {
  const { seen, renewal } = stage();
  await renewal.look();
  await pass(seen.clock, 59 * DAY_MS);
  assert.equal(seen.attempts, 0);
  await pass(seen.clock, DAY_MS);
  assert.deepEqual([seen.attempts, seen.changes], [1, 1]);
  await pass(seen.clock, 59 * DAY_MS);
  assert.equal(seen.attempts, 1);
  await pass(seen.clock, DAY_MS);
  assert.equal(seen.attempts, 2);
});

it('a renewal that fails is tried again, less and less often, and told in the last month', async () => {
  const { seen, renewal } = stage();
  seen.broken = new Error('no space left.');
  await renewal.look();
  await pass(seen.clock, 60 * DAY_MS - 1);
  await pass(seen.clock, 3_600_000);
  assert.equal(seen.attempts, 1);
  await pass(seen.clock, 30_000);
  assert.equal(seen.attempts, 1, 'not at once');
  await pass(seen.clock, 45_000);
  assert.equal(seen.attempts, 2, 'within 75 s');
  const before = seen.attempts;
  for (let hour = 0; hour < 10 * 24; hour++) await pass(seen.clock, 3_600_000);
  const often = seen.attempts - before;
  assert.ok(often >= 10 * 3 && often <= 10 * 5 + 8, `${often} times in ten days`);
  assert.equal(renewal.problem, 'ends in 19 days and could not be renewed: no space left');
  seen.broken = undefined;
  await pass(seen.clock, 8 * 3_600_000);
  assert.equal(renewal.problem, undefined);
  assert.equal(seen.attempts, before + often + 1);
});

it('a failure is nothing to tell while there are months to mend it', async () => {
  const clock = new MovedClock();
  const validity = { from: clock.now() - 245 * DAY_MS, until: clock.now() + 120 * DAY_MS };
  const renew = () => Promise.reject(new Error('no'));
  const renewal = new Renewal({ what: 'it', clock, validity: () => validity, isDue, renew, log: silentLog, changed() {} });
  await renewal.look();
  assert.equal(renewal.problem, undefined);
  clock.pass(90 * DAY_MS);
  assert.match(renewal.problem!, /^ends in 30 days/);
  renewal.close();
});

it('what ended is not looked at any more', async () => {
  const { seen, renewal } = stage();
  await renewal.look();
  renewal.close();
  assert.equal(seen.clock.timers, 0);
  await pass(seen.clock, 80 * DAY_MS);
  assert.equal(seen.attempts, 0);
});
