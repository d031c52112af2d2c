/**
 * The server's side of the SOCKS5 handshake (RFC 1928) as a state machine: CONNECT without authentication. It takes bytes in any
 * pieces and never holds more than one message of at most 262 bytes.
 */
import { SocketAddress } from 'node:net';

export const SOCKS5_VERSION = 5;
/** RFC 1928, 3. */
const NO_AUTHENTICATION = 0;
const NO_ACCEPTABLE_METHOD = 0xff;
/** RFC 1928, 4. */
const CONNECT = 1;
const ADDRESS_TYPES = { ipv4: 1, domain: 3, ipv6: 4 } as const;
const IPV4_BYTES = 4;
const IPV6_BYTES = 16;

/** RFC 1928, 6. */
export const REPLIES = {
  succeeded: 0,
  'general-failure': 1,
  'network-unreachable': 3,
  'host-unreachable': 4,
  'connection-refused': 5,
  'ttl-expired': 6,
  'command-not-supported': 7,
  'address-type-not-supported': 8,
} as const;
export type ReplyCode = keyof typeof REPLIES;

export type Socks5Step =
  /** More bytes are needed. */
  | { step: 'more' }
  /** Send this, and go on. */
  | { step: 'answer'; bytes: Buffer }
  /** The handshake is over: connect, then `reply`. `rest`: what the client sent after it. */
  | { step: 'connect'; host: string; port: number; rest: Buffer }
  /** Send this, and hang up. `why` completes "the client": for the log. */
  | { step: 'refuse'; bytes: Buffer; why: string };

export class Socks5Handshake {
  #held: Buffer = Buffer.alloc(0);
  #greeted = false;

  /** The next step after these bytes. After an `answer` it is asked again, without bytes. */
  take(bytes: Buffer = Buffer.alloc(0)): Socks5Step {
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    return this.#greeted ? this.#request() : this.#greeting();
  }

  /** VER, NMETHODS, METHODS. */
  #greeting(): Socks5Step {
    const [version, count] = this.#held;
    if (version !== undefined && version !== SOCKS5_VERSION)
      return { step: 'refuse', bytes: Buffer.alloc(0), why: `speaks SOCKS version ${version}` };
    if (count === undefined || this.#held.length < 2 + count) return { step: 'more' };
    const methods = this.#consume(2 + count).subarray(2);
    if (!methods.includes(NO_AUTHENTICATION))
      return {
        step: 'refuse',
        bytes: Buffer.from([SOCKS5_VERSION, NO_ACCEPTABLE_METHOD]),
        why: 'insists on authentication, which is not offered',
      };
    this.#greeted = true;
    return { step: 'answer', bytes: Buffer.from([SOCKS5_VERSION, NO_AUTHENTICATION]) };
  }

  /** VER, CMD, RSV, ATYP, DST.ADDR, DST.PORT. */
  #request(): Socks5Step {
    const [version, command, , type, first] = this.#held;
    if (version !== undefined && version !== SOCKS5_VERSION)
      return { step: 'refuse', bytes: reply('general-failure'), why: 'sent a request of another version' };
    if (command !== undefined && command !== CONNECT)
      return { step: 'refuse', bytes: reply('command-not-supported'), why: `asked for command ${command}, not CONNECT` };
    if (type === undefined || first === undefined) return { step: 'more' };
    const lengths: Record<number, number> = {
      [ADDRESS_TYPES.ipv4]: IPV4_BYTES,
      [ADDRESS_TYPES.ipv6]: IPV6_BYTES,
      [ADDRESS_TYPES.domain]: 1 + first,
    };
    const length = lengths[type];
    if (length === undefined)
      return { step: 'refuse', bytes: reply('address-type-not-supported'), why: `sent an address of type ${type}` };
    if (this.#held.length < 4 + length + 2) return { step: 'more' };
    const message = this.#consume(4 + length + 2);
    const host = hostOf(type, message.subarray(4, 4 + length));
    const port = message.readUInt16BE(4 + length);
    if (host === '' || port === 0) return { step: 'refuse', bytes: reply('general-failure'), why: 'named no host, or port 0' };
    return { step: 'connect', host, port, rest: this.#consume(this.#held.length) };
  }

  #consume(length: number): Buffer {
    const taken = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return taken;
  }
}

/** The answer to a request. The address that was bound is nobody's business: it is all zeros. */
export function reply(code: ReplyCode): Buffer {
  return Buffer.from([SOCKS5_VERSION, REPLIES[code], 0, ADDRESS_TYPES.ipv4, 0, 0, 0, 0, 0, 0]);
}

function hostOf(type: number, bytes: Buffer): string {
  if (type === ADDRESS_TYPES.domain) return bytes.subarray(1).toString('latin1');
  if (type === ADDRESS_TYPES.ipv4) return bytes.join('.');
  const groups = Array.from({ length: IPV6_BYTES / 2 }, (_, at) => bytes.readUInt16BE(at * 2).toString(16));
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}
