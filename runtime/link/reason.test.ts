import assert from 'node:assert/strict';
import { it } from 'node:test';
import { toReason } from './reason.ts';

it('a reason from a neighbour is made safe, whatever it is', () => {
  assert.deepEqual(toReason({ code: 'refused', message: 'db:5432 refuses connections' }), {
    code: 'refused',
    message: 'db:5432 refuses connections',
  });
  const none = { code: 'reset', message: 'no reason was given' };
  for (const value of [undefined, null, 'text', 7, [], {}, { code: 'hasOwnProperty' }, { code: 5, message: {} }])
    assert.deepEqual(toReason(value), none);
  assert.equal(toReason({ message: 'x'.repeat(10_000) }).message.length, 500);
});
