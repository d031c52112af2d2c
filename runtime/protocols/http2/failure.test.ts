import assert from 'node:assert/strict';
import { it } from 'node:test';
import { field } from './field.ts';
import { grpcTrailers, percentEncoded } from './failure.ts';

it("gRPC's message is percent-encoded: all but printable ASCII, and the percent sign", () => {
  assert.equal(percentEncoded('50 % ünlikely\n~'), '50 %25 %C3%BCnlikely%0A~');
});

it("gRPC's status is UNAVAILABLE, also where a server was not reached in time", () => {
  for (const status of [502, 503, 504] as const) {
    const trailers = grpcTrailers('orders', { status, reason: 'no', untouched: true });
    assert.deepEqual(trailers, [field('grpc-status', '14'), field('grpc-message', 'orders did not answer: no.')]);
  }
});
