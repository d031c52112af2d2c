import { BlockList, isIP } from 'node:net';
import type { Endpoint } from './endpoint.ts';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8);
LOOPBACK.addAddress('::1', 'ipv6');

/**
 * Whether a connection is to go there without a proxy, by what NO_PROXY lists: `shop.example.com` and what is below it, `.example.com` and
 * `*.example.com` for what is below only, addresses, blocks of them such as `10.0.0.0/8`, each but the blocks also with a `:port`, and `*` for all.
 * Loopback is never proxied.
 */
export function isExempt({ host, port }: Endpoint, noProxy: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  if (name === 'localhost' || name.endsWith('.localhost') || contains(LOOPBACK, name)) return true;
  return noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => entry === '*' || matches(entry, name, port));
}

function matches(entry: string, host: string, port: number): boolean {
  const [, address = '', prefix] = /^([^/]+)\/(\d{1,3})$/.exec(entry) ?? [];
  if (prefix !== undefined) return isInBlock(host, address, Number(prefix));
  const { name, only } = splitPort(entry);
  if (only !== undefined && only !== port) return false;
  if (isIP(name)) return isInBlock(host, name, isIP(name) === 4 ? 32 : 128);
  const suffix = name.replace(/^\*?\./, '');
  if (suffix === '') return false;
  return host.endsWith(`.${suffix}`) || (host === suffix && suffix === name);
}

/** `[::1]:443` has brackets around an address with colons; without them there is no port behind it. */
function splitPort(entry: string): { name: string; only?: number } {
  const [, bracketed, plain, only] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(entry) ?? [];
  return { name: bracketed ?? plain ?? entry, ...(only !== undefined && { only: Number(only) }) };
}

function isInBlock(host: string, address: string, prefix: number): boolean {
  const family = isIP(address);
  if (family === 0 || prefix > (family === 4 ? 32 : 128)) return false;
  const block = new BlockList();
  block.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
  return contains(block, host);
}

function contains(block: BlockList, host: string): boolean {
  const family = isIP(host);
  return family !== 0 && block.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
