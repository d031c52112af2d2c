import type { Socket } from 'node:net';
import type { Log } from '../../log.ts';
import { abort, splice } from '../splice.ts';
import { hangUp } from './hang-up.ts';
import { type ProxyNetwork, reach, Unreached, type UnreachedCode } from './reach.ts';
import { type ReplyCode, reply, Socks5Handshake, type Socks5Step } from './socks5.ts';

const REPLY_TO: Record<UnreachedCode, ReplyCode> = {
  'no-port': 'connection-refused',
  'not-found': 'host-unreachable',
  refused: 'connection-refused',
  unreachable: 'host-unreachable',
  'network-unreachable': 'network-unreachable',
  timeout: 'ttl-expired',
};

interface Options {
  network: ProxyNetwork;
  log: Log;
  /** The handshake is over, well or not: from now on the client takes its time. */
  settled: () => void;
}

/** Serves a client that began with SOCKS5's first byte. */
export function serveSocks(client: Socket, options: Options): void {
  const handshake = new Socks5Handshake();
  const take = (bytes: Buffer) => {
    let next: Socks5Step = handshake.take(bytes);
    while (next.step === 'answer') {
      client.write(next.bytes);
      next = handshake.take();
    }
    if (next.step === 'more') return;
    client.off('data', take).off('end', gaveUp).pause();
    options.settled();
    if (next.step === 'connect') {
      // At once: a client that has ended meanwhile takes nothing back.
      if (next.rest.length > 0) client.unshift(next.rest);
      connect(client, next, options).catch((error: unknown) => {
        options.log.error('the proxy met a defect', { error: (error as Error)?.stack ?? error });
        client.resetAndDestroy();
      });
      return;
    }
    options.log.debug(`a client of the proxy ${next.why}`);
    hangUp(client, next.bytes);
  };
  const gaveUp = () => client.destroy();
  client.on('data', take).once('end', gaveUp).resume();
}

async function connect(client: Socket, { host, port }: Socks5Step & { step: 'connect' }, { network, log }: Options) {
  try {
    const stream = await reach(host, port, network);
    if (client.destroyed) return abort(stream, new Error('the client has gone'));
    client.write(reply('succeeded'));
    return splice(client, stream);
  } catch (error) {
    if (!(error instanceof Unreached)) throw error;
    log.info(`a client of the proxy was refused: ${error.message}`);
    return hangUp(client, reply(REPLY_TO[error.code]));
  }
}
