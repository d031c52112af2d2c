/** A way to servers on loopback, without a network in between. */
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { StreamError } from '../../link/reason.ts';
import { silentLog } from '../../log.ts';
import type { RequestTraits } from '../../routing/request-rule.ts';
import type { ServerTls } from '../tls/server-tls.ts';
import type { Attempts, Flow, Server, Way } from '../listener.ts';

/** Gives out its servers in turns, and keeps count of what it gave out. */
export class TestWay implements Way {
  readonly address = 'orders';
  readonly log = silentLog;
  readonly tls: ServerTls | undefined;
  readonly ports: number[];
  /** Requests that were asked for, and servers that were given out and have not come back. */
  readonly asked: RequestTraits[] = [];
  readonly busy = new Map<Server, string>();
  /** How many connections were made to each server. */
  readonly connections = new Map<string, number>();
  clients = 0;
  /** Servers that came back more than once. */
  doneTwice = 0;
  #turn = 0;

  constructor(ports: number[], tls?: ServerTls) {
    this.ports = ports;
    this.tls = tls;
  }

  count(client: Duplex): void {
    this.clients++;
    client.once('close', () => this.clients--);
  }

  join(): Promise<never> {
    return Promise.reject(new Error('no stream is asked for here'));
  }

  fanOut(): undefined {
    return undefined;
  }

  copies(): Server[] {
    return [];
  }

  flow(): Flow {
    throw new Error('there are no datagrams here');
  }

  attempts(request?: RequestTraits): Attempts {
    if (request) this.asked.push(request);
    const first = this.#turn++;
    let given = 0;
    return {
      next: () => (given < this.ports.length ? this.#server(this.ports[(first + given++) % this.ports.length]!) : undefined),
    };
  }

  #server(port: number): Server {
    const target = `127.0.0.1:${port}`;
    const { ports } = this;
    const server: Server = {
      id: target,
      site: 'east',
      target,
      get isOffered() {
        return ports.includes(port);
      },
      connect: () => {
        this.connections.set(target, (this.connections.get(target) ?? 0) + 1);
        return dialServer(port, target);
      },
      done: () => {
        if (!this.busy.delete(server)) this.doneTwice++;
      },
    };
    this.busy.set(server, target);
    return server;
  }
}

function dialServer(port: number, target: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    socket.once('error', () => reject(new StreamError({ code: 'refused', message: `${target} refuses connections` })));
    socket.once('connect', () => {
      socket.removeAllListeners('error').on('error', () => {});
      resolve(socket);
    });
  });
}
