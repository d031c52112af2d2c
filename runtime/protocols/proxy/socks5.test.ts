import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { reply, Socks5Handshake, type Socks5Step } from './socks5.ts';

const GREETING = [5, 1, 0];
const port = (value: number) => [value >> 8, value & 255];
const name = (text: string) => [3, text.length, ...Buffer.from(text)];

/** Every step but `more`, of bytes that come in pieces of `size`. */
function steps(bytes: number[], size = bytes.length): Socks5Step[] {
  const handshake = new Socks5Handshake();
  const seen: Socks5Step[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    let next = handshake.take(Buffer.from(bytes.slice(at, at + size)));
    while (next.step === 'answer') {
      seen.push(next);
      next = handshake.take();
    }
    if (next.step !== 'more') seen.push(next);
    if (next.step === 'connect' || next.step === 'refuse') break;
  }
  return seen;
}

const ACCEPTED: Socks5Step = { step: 'answer', bytes: Buffer.from([5, 0]) };
const connect = (host: string, to: number, rest = '') => ({ step: 'connect', host, port: to, rest: Buffer.from(rest) });

describe('a SOCKS5 client', () => {
  for (const [what, address, host] of [
    ['a name', name('backend.shop'), 'backend.shop'],
    ['a name of 255 bytes', name('x'.repeat(255)), 'x'.repeat(255)],
    ['an IPv4 address', [1, 127, 0, 0, 1], '127.0.0.1'],
    ['an IPv6 address', [4, 0x20, 1, 0x0d, 0xb8, ...Array<number>(11).fill(0), 1], '2001:db8::1'],
  ] as const)
    test(`connects to ${what}, in whatever pieces it says so`, () => {
      const bytes = [...GREETING, 5, 1, 0, ...address, ...port(8080)];
      for (let size = 1; size <= bytes.length; size++)
        assert.deepEqual(steps(bytes, size), [ACCEPTED, connect(host, 8080)], `${size} bytes at a time`);
    });

  test('may offer other methods besides', () => {
    const bytes = [5, 3, 1, 2, 0, 5, 1, 0, ...name('a'), ...port(1)];
    assert.deepEqual(steps(bytes), [ACCEPTED, connect('a', 1)]);
  });

  test('may send data before it has its answer', () => {
    const bytes = [...GREETING, 5, 1, 0, ...name('a'), ...port(80), ...Buffer.from('GET /')];
    assert.deepEqual(steps(bytes), [ACCEPTED, connect('a', 80, 'GET /')]);
  });

  for (const [what, bytes, answer, why] of [
    ['no method but a password', [5, 1, 2], [5, 0xff], /authentication/],
    ['no method', [5, 0], [5, 0xff], /authentication/],
    ['another version', [4, 1, 0, 80], [], /SOCKS version 4/],
    ['BIND', [...GREETING, 5, 2], [...reply('command-not-supported')], /command 2, not CONNECT/],
    ['UDP ASSOCIATE', [...GREETING, 5, 3], [...reply('command-not-supported')], /command 3/],
    ['an address of another type', [...GREETING, 5, 1, 0, 9, 9], [...reply('address-type-not-supported')], /type 9/],
    ['a request of another version', [...GREETING, 4], [...reply('general-failure')], /another version/],
    ['an empty name', [...GREETING, 5, 1, 0, ...name(''), 0, 80], [...reply('general-failure')], /no host/],
    ['port 0', [...GREETING, 5, 1, 0, ...name('a'), 0, 0], [...reply('general-failure')], /port 0/],
  ] as const)
    test(`with ${what} is refused`, () => {
      for (const size of [1, bytes.length]) {
        const last = steps([...bytes], size).at(-1)!;
        assert.ok(last.step === 'refuse', last.step);
        assert.deepEqual([...last.bytes], [...answer]);
        assert.match(last.why, why);
      }
    });

  test('whose message is not complete is waited for', () => {
    const bytes = [...GREETING, 5, 1, 0, ...name('backend'), ...port(80)];
    for (let length = 0; length < bytes.length; length++)
      assert.ok(
        steps(bytes.slice(0, length)).every(({ step }) => step === 'answer'),
        `${length} bytes`,
      );
  });
});
