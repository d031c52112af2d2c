import type { Duplex, Readable } from 'node:stream';
import type { Log } from '../../log.ts';
import type { Balancer } from '../../routing/balancer.ts';
import type { ClientSender } from './client-sender.ts';
import type { OutgoingLink } from './endpoint/outgoing-link.ts';
import type { Kept, Message } from './message.ts';
import type { MessageNetwork } from './message-network.ts';

/** An address at one hub: who sends to it here, and who receives. */
export interface Address {
  readonly name: string;
  /** Whether anybody in the network receives from it. */
  readonly hasReceivers: boolean;
  /** Whether nobody here has to do with it any more. */
  readonly isUnused: boolean;
  addSender(sender: ClientSender): void;
  removeSender(sender: ClientSender): void;
  addReceiver(link: OutgoingLink): void;
  /** A message of a client here, of which at least one part has come. */
  send(message: Message): void;
  /** A stream of another hub. */
  accept(stream: Duplex | Readable): void;
  /** The network has changed. */
  review(): void;
  close(): void;
}

/** What all addresses of a hub share. */
export interface HubContext {
  readonly network: MessageNetwork;
  readonly balancer: Balancer;
  readonly kept: Kept;
  readonly log: Log;
  /** Milliseconds. */
  readonly subscriberPatienceMs: number;
  readonly messageStallMs: number;
  /** This address may be unused now. */
  unused(address: Address): void;
}
