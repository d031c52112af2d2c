import type { Readable, Writable } from 'node:stream';
import type { Protocol as Type } from '../../../runtime/api/types.ts';
import type { SiteProcess } from '../site-processes.ts';
import type { CheckName } from './checks.ts';

const MIB = 1024 * 1024;
/** The largest payload of the suite. Bytes. */
export const LARGEST_PAYLOAD = 64 * MIB;

/** What a protocol offers to the compliance suite. */
export interface Protocol {
  readonly name: string;
  readonly type: Type;
  /** The checks that do not apply to it, each with the reason. */
  readonly omits: Partial<Record<CheckName, string>>;
  /** One exchange carries no more. Default `LARGEST_PAYLOAD`. Bytes. */
  readonly largestPayload?: number;
  /** What its Listeners and Connectors say besides, and the Secrets that they name. */
  readonly listener?: Addition;
  readonly connector?: Addition;
  /** Starts a server that sends back what it gets. `at` is the site that it is offered from. */
  startEcho(at: SiteProcess): Promise<EchoServer>;
  /** One exchange with a server that echoes, over a connection of its own. Rejects where it does not come about. */
  ask(door: Door, payload: Buffer): Promise<Buffer>;
  /** Whether the listener takes nobody, as where nothing offers its address. */
  isShut(door: Door): Promise<boolean>;
  /** How its servers can be out of reach. Default: every way. */
  readonly badTargets?: readonly BadTarget[];
  /** How a client learns of it. */
  readonly learns?: Record<BadTarget, RegExp>;
  /** The error that a client learns it by; default: that of `ask`. */
  failure?(door: Door): Promise<unknown>;
  /** Of protocols whose exchange is bytes both ways. */
  readonly streams?: Streams;
  /** Sends to a server, or from one to its client, of which nothing is read. */
  flood?(flood: FloodOptions): Promise<Flood>;
  /** What a sender gets rid of at most while nobody reads. Bytes. */
  readonly bytesInFlight?: number;
}

/** How a connector's server can be out of reach. */
export const BAD_TARGETS = ['refused', 'unreachable', 'hanging'] as const;
export type BadTarget = (typeof BAD_TARGETS)[number];

export interface Addition {
  readonly spec: object;
  readonly secrets: readonly object[];
}

/** Where clients come in. */
export interface Door {
  readonly address: string;
  readonly port: number;
}

export interface Server {
  readonly port: number;
  stop(): Promise<void>;
}

export interface EchoServer extends Server {
  /** Exchanges that have come so far. */
  readonly exchanges: number;
}

export interface Streams {
  start(serve: (side: Side) => void): Promise<Server>;
  /** Begins an exchange over a connection of its own. Resolves once either side may speak. */
  open(door: Door): Promise<Side>;
}

/** One side of an exchange. */
export interface Side {
  readonly input: Readable;
  readonly output: Writable;
  /** Breaks it off, so that the other side sees no proper end. */
  reset(): void;
  /** Lets go of the connection, where the end of the exchange is not its end. */
  close?(): void;
}

export interface FloodOptions {
  direction: 'to the server' | 'to the client';
  /** What is sent once somebody reads. Bytes. */
  total: number;
  /** Offers the server. Resolves to where its clients come in. */
  offer: (port: number) => Promise<Door>;
  /** From where the server is offered. */
  at: SiteProcess;
}

export interface Flood {
  /** What the sender has got rid of. Bytes. */
  accepted(): number;
  /** Reads all of it. Resolves to how much that was, in bytes. */
  read(): Promise<number>;
  stop(): Promise<void>;
}
