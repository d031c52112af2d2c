import type { Scope } from '../scope.ts';
import type { Protocol } from '../../../runtime/api/vocabulary.ts';

/** What a peer carries clients to. */
export interface Target {
  /** Of a server on loopback. */
  port: number;
  protocol: Protocol;
  /** Puts something on the way between the two halves of a peer: takes the port of one half, resolves to the port to use instead. */
  between?: ((port: number) => Promise<number>) | undefined;
}

/** Another way to a server on loopback, with its two halves on this machine. */
export interface Peer {
  /** The column. */
  name: string;
  title: string;
  /** Why it cannot carry this protocol here; undefined where it can. */
  whyNot(protocol: Protocol): string | undefined;
  /** Resolves to the port that clients use, once it takes them. What it starts ends with the scope. */
  start(target: Target, scope: Scope): Promise<number>;
}

export const CARRIES_BYTES = 'carries bytes, knows no requests';
export const NO_DATAGRAMS = 'carries no datagrams';
