import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { StreamError } from '../../link/reason.ts';
import { silentLog } from '../../log.ts';
import type { RequestTraits } from '../../routing/request-rule.ts';
import type { Attempts, FanOut, Flow, Server, Way } from '../listener.ts';

/** A server of a `TcpWay`. */
export interface FakeServer {
  site: string;
  port: number;
  /** Refuses instead, with this. */
  refuses?: StreamError;
}

/** A way to servers on loopback without a network in between: each request starts with the next one. */
export class TcpWay implements Way {
  readonly address = 'backend';
  readonly log = silentLog;
  servers: FakeServer[];
  fanOutAs: FanOut | undefined;
  /** They listen in. */
  listening: FakeServer[] = [];
  /** Requests that were asked servers for. */
  readonly traits: (RequestTraits | undefined)[] = [];
  /** Servers given out, and how many of them are done. */
  given = 0;
  done = 0;
  /** A server was done more often than once. */
  doneTwice = false;
  /** Connections that were made. */
  connects = 0;
  clients = 0;
  /** The streams that were handed out. */
  readonly streams: Socket[] = [];
  #turn = 0;

  constructor(...servers: FakeServer[]) {
    this.servers = servers;
  }

  count(client: Duplex): void {
    this.clients++;
    client.once('close', () => this.clients--);
  }

  join(): Promise<never> {
    return Promise.reject(new Error('HTTP asks request by request'));
  }

  fanOut(): FanOut | undefined {
    return this.fanOutAs;
  }

  copies(): Server[] {
    return this.listening.map((server) => this.#give(server));
  }

  flow(): Flow {
    throw new Error('there are no datagrams here');
  }

  attempts(request?: RequestTraits): Attempts {
    this.traits.push(request);
    const from = this.#turn++;
    const left = this.servers.map((_, at) => this.servers[(from + at) % this.servers.length]!);
    return {
      next: () => {
        const server = left.shift();
        return server && this.#give(server);
      },
    };
  }

  #give(server: FakeServer): Server {
    this.given++;
    const { servers } = this;
    let isDone = false;
    return {
      id: `${server.site}:${server.port}`,
      site: server.site,
      target: `127.0.0.1:${server.port}`,
      get isOffered() {
        return servers.includes(server);
      },
      connect: () => this.#connect(server),
      done: () => {
        this.doneTwice ||= isDone;
        isDone = true;
        this.done++;
      },
    };
  }

  #connect({ port, refuses }: FakeServer): Promise<Socket> {
    if (refuses) return Promise.reject(refuses);
    this.connects++;
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
      socket.once('error', () => reject(new StreamError({ code: 'refused', message: `127.0.0.1:${port} refuses connections` })));
      socket.once('connect', () => {
        socket.on('error', () => {});
        this.streams.push(socket);
        resolve(socket);
      });
    });
  }
}
