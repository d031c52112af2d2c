import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { plainAddress } from './origin.ts';

/** One end of a connection: an IP address and a port. */
export interface Endpoint {
  host: string;
  port: number;
}

/** What a listener knows of one client. It travels in the opening of the client's stream, and the connector makes use of it. */
export interface ClientInfo {
  /** Where the client is. */
  client?: Endpoint | undefined;
  /** Which address of the listener it connected to. */
  listener?: Endpoint | undefined;
  /** What TLS at the listener agreed on (ALPN, RFC 7301): the server is offered just that. */
  alpn?: string | undefined;
}

/** RFC 7301, section 3.1 allows any 255 bytes; those that are registered are text. */
const ALPN_NAME = /^[\x21-\x7e]{1,255}$/;

export function isAlpnName(value: unknown): value is string {
  return typeof value === 'string' && ALPN_NAME.test(value);
}

/** What a connection that was accepted says of its ends. */
export function endsOf(socket: SocketEnds): Pick<ClientInfo, 'client' | 'listener'> {
  const client = endpoint(socket.remoteAddress, socket.remotePort);
  const listener = endpoint(socket.localAddress, socket.localPort);
  return { ...(client && { client }), ...(listener && { listener }) };
}

interface SocketEnds extends Duplex {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
}

/** Which of its interfaces a host means is its own matter. */
function endpoint(address: string | undefined, port: number | undefined): Endpoint | undefined {
  const host = address && plainAddress(address).replace(/%.*$/, '');
  return host !== undefined && port !== undefined && isIP(host) !== 0 ? { host, port } : undefined;
}

/** The part of what a neighbour sent that is a client's: nothing but the known fields. */
export function clientInfo({ client, listener, alpn }: ClientInfo): ClientInfo {
  const only = ({ host, port }: Endpoint) => ({ host, port });
  return {
    ...(client && { client: only(client) }),
    ...(listener && { listener: only(listener) }),
    ...(alpn !== undefined && { alpn }),
  };
}

/** Whether what a neighbour sent can be used as one. */
export function isClientInfo(value: object): value is ClientInfo {
  const { client, listener, alpn } = value as Partial<Record<keyof ClientInfo, unknown>>;
  return [client, listener].every((end) => end === undefined || isEndpoint(end)) && (alpn === undefined || isAlpnName(alpn));
}

function isEndpoint(value: unknown): value is Endpoint {
  const { host, port } = (value ?? {}) as Partial<Record<keyof Endpoint, unknown>>;
  return typeof host === 'string' && isIP(host) !== 0 && !host.includes('%') && isPort(port);
}

function isPort(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 65_535;
}
