import assert from 'node:assert/strict';
import { it } from 'node:test';
import { field } from './field.ts';
import { Http1Message } from './http1-message.ts';

const KIB = 1024;

it('hands over no more than 64 KiB of a body at a time, as the connection takes it', () => {
  const written: number[] = [];
  let sent = 0;
  let isWritten = false;
  const message = new Http1Message({ sent: (bytes) => (sent += bytes), written: () => (isWritten = true) });
  message.begin({ head: 'HTTP/1.1 200 OK\r\n\r\n', isChunked: false });
  for (let at = 0; at < 16; at++) message.write(Buffer.alloc(16 * KIB));
  message.end(undefined);
  message.sendTo({
    writeAll: (pieces) => {
      written.push(pieces.reduce((sum, { length }) => sum + length, 0));
      return false;
    },
  });
  for (let left = 3; left > 0; left--) {
    assert.equal(isWritten, false);
    message.drained();
  }
  assert.deepEqual(written, [64 * KIB + 19, 64 * KIB, 64 * KIB, 64 * KIB]);
  assert.equal(sent, 192 * KIB);
  assert.equal(isWritten, true);
});

it('has no trailers that say how to read a message, or that some servers take for those', () => {
  let written = '';
  const message = new Http1Message({ sent() {}, written() {} });
  message.begin({ head: '', isChunked: true });
  message.end(['content-length', 'transfer_encoding', 'content_length', 'x-sum'].map((name) => field(name, '9')));
  message.sendTo({
    writeAll: (pieces) => {
      written += Buffer.concat(pieces).toString();
      return true;
    },
  });
  assert.equal(written, '0\r\nx-sum: 9\r\n\r\n');
});
