import { isIPv4, isIPv6 } from 'node:net';
import type { ClientInfo } from '../client-info.ts';

/** HAProxy's PROXY protocol, version 2: proxy-protocol.txt, section 2.2. */
const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const VERSION_2_PROXY = 0x21;
const UNSPECIFIED = 0x00;
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;
const TLV_ALPN = 0x01;

/**
 * What is sent to a server before the client's first byte: where the client is, and what it connected to. Where that is not known the
 * server is told so, and takes the connection's own ends.
 */
export function proxyHeader({ client, listener, alpn }: ClientInfo): Buffer {
  const ends = client && listener ? encodeEnds(client, listener) : undefined;
  const body = Buffer.concat([ends?.addresses ?? Buffer.alloc(0), alpn === undefined ? Buffer.alloc(0) : tlv(TLV_ALPN, alpn)]);
  const head = Buffer.from([VERSION_2_PROXY, ends?.family ?? UNSPECIFIED, 0, 0]);
  head.writeUInt16BE(body.length, 2);
  return Buffer.concat([SIGNATURE, head, body]);
}

function encodeEnds(
  client: NonNullable<ClientInfo['client']>,
  listener: NonNullable<ClientInfo['listener']>,
): { family: number; addresses: Buffer } | undefined {
  const hosts = [client.host, listener.host];
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(client.port, 0);
  ports.writeUInt16BE(listener.port, 2);
  if (hosts.every(isIPv4)) return { family: TCP_OVER_IPV4, addresses: Buffer.concat([...hosts.map(ipv4Bytes), ports]) };
  if (hosts.every(isIPv6)) return { family: TCP_OVER_IPV6, addresses: Buffer.concat([...hosts.map(ipv6Bytes), ports]) };
  return undefined;
}

function ipv4Bytes(host: string): Buffer {
  return Buffer.from(host.split('.').map(Number));
}

/** RFC 4291, section 2.2: groups of 16 bits, one run of zeros left out, the last 32 bits perhaps as IPv4. */
function ipv6Bytes(host: string): Buffer {
  const [head = [], tail = []] = host.split('::').map((part) =>
    part
      .split(':')
      .filter((group) => group !== '')
      .flatMap(groupBytes),
  );
  return Buffer.from([...head, ...Array.from({ length: 16 - head.length - tail.length }, () => 0), ...tail]);
}

function groupBytes(group: string): number[] {
  if (group.includes('.')) return [...ipv4Bytes(group)];
  const value = Number.parseInt(group, 16);
  return [value >> 8, value & 0xff];
}

function tlv(type: number, value: string): Buffer {
  const head = Buffer.from([type, 0, 0]);
  head.writeUInt16BE(Buffer.byteLength(value), 1);
  return Buffer.concat([head, Buffer.from(value)]);
}
