import type { Duplex, Readable, Writable } from 'node:stream';
import type { Distribution } from '../../routing/types.ts';

/** A router with receivers for an address. */
export interface ReceivingRouter {
  router: string;
  site: string;
  /** Of the path there, at least 1. */
  cost: number;
  /** How many it has, at least 1. */
  receivers: number;
}

/** What this router has for an address. */
export interface Served {
  distribution: Distribution;
  /** 0: it has none any more. */
  receivers: number;
}

/** All that AMQP knows of the network. The router implements it with streams. */
export interface MessageNetwork {
  /** This router's id. */
  readonly router: string;
  /** Tells the network what this router has for the address. Cheap: changes are gathered. */
  serve(address: string, served: Served): void;
  /** The other routers that have receivers for the address and that a path leads to. */
  destinations(address: string): ReceivingRouter[];
  /** Calls back whenever `destinations` may answer differently. */
  onChange(changed: () => void): void;
  /**
   * A stream to the hub of that router, whose `accept` is called with the address. Its backpressure is the network's. Rejects where no
   * path leads there, or it has no hub.
   */
  connect(router: string, address: string): Promise<Duplex>;
  /**
   * A stream to the hubs of all these routers, of which each gets the same bytes, and every link on the way gets them once. It fails
   * when one of them is lost; what was not read by then may be missing anywhere.
   */
  multicast(routers: readonly string[], address: string): Promise<Writable>;
}

/** What the network does with a hub. */
export interface NetworkHub {
  /** A stream of another hub: of its `connect`, or to read only, of its `multicast`. */
  accept(stream: Duplex | Readable, address: string): void;
}
