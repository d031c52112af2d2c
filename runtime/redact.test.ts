import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redact } from './redact.ts';

test('secrets never reach the log', () => {
  const pem = '-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----';
  assert.equal(redact(`a ${pem} b`), 'a [hidden] b');
  assert.equal(redact('code: abc123 url: https://x'), 'code: [hidden] url: https://x');
  assert.equal(redact('Authorization: Bearer eyJhbGci'), 'Authorization: Bearer [hidden]');
  assert.equal(redact('{"token":"eyJ"}'), '{"token":"[hidden]"}');
  assert.equal(redact('issue a token at kind-west/shop'), 'issue a token at kind-west/shop');
});
