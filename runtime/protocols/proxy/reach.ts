import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { StreamError } from '../../link/reason.ts';
import { reachedAt } from '../../words.ts';
import { destinationOf, type NetworkNames } from './destination.ts';

/** A host that does not accept within this is given up. Milliseconds. */
export const CONNECT_WITHIN_MS = 15_000;

/** What a proxy knows of the network: its names, and the way to its services. */
export interface ProxyNetwork extends NetworkNames {
  /** Rejects with a `StreamError` where nobody serves the address. */
  connect(address: string, port: number): Promise<Duplex>;
}

export type UnreachedCode = 'no-port' | 'not-found' | 'refused' | 'unreachable' | 'network-unreachable' | 'timeout';

/** Why a proxy's client does not get where it wants to: `message` is one sentence. */
export class Unreached extends Error {
  override readonly name = 'Unreached';
  readonly code: UnreachedCode;
  constructor(code: UnreachedCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** A connection to what is meant by a host and a port, in the network or from here. Rejects with `Unreached`. */
export async function reach(host: string, port: number, network: ProxyNetwork): Promise<Duplex> {
  const destination = destinationOf(host, port, network);
  if (destination.to === 'nowhere') throw new Unreached('no-port', destination.message);
  if (destination.to === 'host') return connectFromHere(destination.host, port);
  try {
    return await network.connect(destination.address, port);
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    const { code, message } = error;
    throw new Unreached(
      code === 'timeout' || code === 'refused' ? code : 'unreachable',
      `${destination.address} cannot be reached: ${ended(message)}`,
    );
  }
}

function connectFromHere(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const at = reachedAt({ host, port });
    const fail = (error: Unreached) => {
      clearTimeout(limit);
      socket.destroy();
      reject(error);
    };
    const limit = setTimeout(
      () => fail(new Unreached('timeout', `${at} does not answer (${CONNECT_WITHIN_MS / 1000} s).`)),
      CONNECT_WITHIN_MS,
    );
    socket.once('error', (error: NodeJS.ErrnoException) => fail(explained(error, host, at)));
    socket.once('connect', () => {
      clearTimeout(limit);
      socket.removeAllListeners('error');
      // The splice that follows listens; until then an early reset must not be an uncaught error.
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}

function explained({ code, message }: NodeJS.ErrnoException, host: string, at: string): Unreached {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EAI_NODATA')
    return new Unreached('not-found', `${host} is no service of the network, and this computer finds no host of that name.`);
  if (code === 'ECONNREFUSED') return new Unreached('refused', `${at} refuses connections.`);
  if (code === 'ETIMEDOUT') return new Unreached('timeout', `${at} does not answer.`);
  if (code === 'ENETUNREACH') return new Unreached('network-unreachable', `No network of this computer leads to ${at}.`);
  return new Unreached('unreachable', `${at} cannot be reached: ${code ?? message}.`);
}

function ended(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
