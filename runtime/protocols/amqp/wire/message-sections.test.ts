import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import rhea from 'rhea';
import { deliveredAgain, recipient } from './message-sections.ts';

describe('what a router reads of a message', () => {
  it('is whom it is for, as soon as enough of it is there', () => {
    const message = rhea.message.encode({ to: 'orders', message_annotations: { note: 'n' }, body: 'x'.repeat(1000) });
    assert.equal(recipient(message, true), 'orders');
    assert.equal(recipient(message.subarray(0, 10), false), undefined);
    assert.equal(recipient(message.subarray(0, 200), false), 'orders');
    assert.equal(recipient(rhea.message.encode({ body: 'x' }), true), null);
    assert.throws(() => recipient(message.subarray(0, 10), true), /longer than/);
  });

  it('is how often it was delivered, and everything else stays', () => {
    const once = deliveredAgain(rhea.message.encode({ durable: true, priority: 7, subject: 's', body: 'b' }));
    const twice = rhea.message.decode(deliveredAgain(once));
    assert.deepEqual([twice.delivery_count, twice.durable, twice.priority, twice.subject, twice.body], [2, true, 7, 's', 'b']);
    const none = Buffer.from('no message');
    assert.equal(deliveredAgain(none), none);
  });
});
