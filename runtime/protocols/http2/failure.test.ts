import assert from 'node:assert/strict';
import { it } from 'node:test';
import { field } from './field.ts';
import { grpcTrailers, percentEncoded } from './failure.ts';

it("gRPC's message is percent-encoded: all but printable ASCII, and the percent sign", () => {
  assert.equal(percentEncoded('50 % ünlikely\n~'), '50 %25 %C3%BCnlikely%0A~');
});

it("gRPC's status is DEADLINE_EXCEEDED where time ran out, else UNAVAILABLE", () => {
  for (const [status, code] of [
    [502, '14'],
    [503, '14'],
    [504, '4'],
  ] as const) {
    const trailers = grpcTrailers('orders', { status, reason: 'no', untouched: true });
    assert.deepEqual(trailers, [field('grpc-status', code), field('grpc-message', 'orders did not answer: no.')]);
  }
});
