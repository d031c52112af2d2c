import type { Duplex } from 'node:stream';
import type { Log } from '../log.ts';
import type { ClientInfo } from './client-info.ts';
import type { ServerTls } from './tls/server-tls.ts';
import type { RequestTraits } from '../routing/request-rule.ts';

/** The place where clients of one address connect, in one protocol. */
export interface ProtocolListener {
  /** That it listens on. */
  readonly port: number;
  /** Takes no further clients, and ends what is idle between two requests. What is under way goes on. */
  close(): void;
}

/** Opens the place. Rejects with the system's error where the port cannot be had. */
export type OpenListener = (host: string, port: number, way: Way) => Promise<ProtocolListener>;

/** The way from a listener to the servers of its address: all that a protocol knows of the network. */
export interface Way {
  /** What the clients ask for, for people. */
  readonly address: string;
  readonly log: Log;
  /** The port of the address that clients mean. Undefined where it is the listener's own. */
  readonly servicePort?: number | undefined;
  /** How clients' TLS is ended: see `acceptClients`. Another object once it has changed. Undefined where they speak plainly. */
  readonly tls?: ServerTls | undefined;
  /** A connection of TCP on which nothing moved for so long is reset. Milliseconds; undefined: never. */
  readonly idleMs?: number | undefined;
  /** Counts a client until it is closed. */
  count(client: Duplex): void;
  /**
   * Makes a client one with a server of the address, byte for byte in both directions. A server that refuses is replaced by the next; when none is
   * left it rejects with the `StreamError` of the last. The server may be told of its client.
   */
  join(client: Duplex, info: ClientInfo): Promise<Joined>;
  /** The servers for one request; those that are for such requests, where it is given. */
  attempts(request?: RequestTraits): Attempts;
  /** Whether each request goes to all servers of `attempts`, and what is made of their answers; undefined where it goes to one. */
  fanOut(): FanOut | undefined;
  /** Those who get a copy of a request besides, and whose answers are for nobody. Of type http only. */
  copies(request: RequestTraits): Server[];
  /** A flow of datagrams to the servers of the address; `answer` gets what comes back. Counts as a client until it is closed. */
  flow(answer: (datagram: Buffer) => void): Flow;
}

/** A client and its server, once they are one. */
export interface Joined {
  /** Resets both. */
  abort(cause: Error): void;
}

export interface Flow {
  send(datagram: Buffer): void;
  close(): void;
}

/**
 * What is answered to a request that goes to all servers: `event` 202 once all have it, `json` the array of their answers, `multipart` their
 * answers one behind the other.
 */
export type FanOut = 'event' | 'json' | 'multipart';

/** The servers that one request may go to: the best first, and another one each time. */
export interface Attempts {
  /** Undefined when none is left. */
  next(): Server | undefined;
}

/** A server for one request. It counts as busy with it until `done`. */
export interface Server {
  /** The same whenever it is this server: connections to it may be kept under this, and used for further requests. */
  readonly id: string;
  /** The site's name. */
  readonly site: string;
  /** The server's name: a pod's, or `host:port`. */
  readonly target: string;
  /** Whether further requests may go to it. Asked at any time. */
  readonly isOffered: boolean;
  /** A new connection, for this server alone. Rejects with a `StreamError` where it is not taken; no byte was delivered then. */
  connect(): Promise<Duplex>;
  /** The request is over, however it ended. Every server that was given out wants this once. */
  done(): void;
}
