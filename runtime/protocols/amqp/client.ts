import type { Socket } from 'node:net';
import { isAddress } from '../../routing/validate.ts';
import type { HubContext } from './address.ts';
import { replyAddress, replyRouter } from './addresses.ts';
import { ClientSender } from './client-sender.ts';
import { Connection, type ConnectionUser } from './endpoint/connection.ts';
import { ServerHandshake } from './endpoint/handshake.ts';
import { IncomingLink } from './endpoint/incoming-link.ts';
import type { OutgoingLink } from './endpoint/outgoing-link.ts';
import type { AmqpHub, ClientOptions } from './hub.ts';
import { AmqpError } from './wire/amqp-error.ts';

/** A client of a hub: gives its links to the addresses that they name. */
export class Client implements ConnectionUser {
  readonly #connection: Connection;
  readonly #hub: AmqpHub;
  readonly #context: HubContext;
  readonly #only: string | undefined;
  readonly #gone: () => void;

  constructor(socket: Socket, hub: AmqpHub, context: HubContext, { address, takesPasswords }: ClientOptions, gone: () => void) {
    this.#hub = hub;
    this.#context = context;
    this.#only = address;
    this.#gone = gone;
    this.#connection = new Connection({
      socket,
      container: hub.router,
      handshake: new ServerHandshake(takesPasswords),
      user: this,
    });
  }

  close(): void {
    this.#connection.close(new AmqpError('amqp:connection:forced', 'The router is ending.'));
  }

  opened(): void {
    // It attaches links next.
  }

  attached(link: IncomingLink | OutgoingLink): void {
    try {
      if (link instanceof IncomingLink) this.#sends(link);
      else this.#receives(link);
    } catch (error) {
      if (!(error instanceof AmqpError)) throw error;
      link.refuse(error);
    }
  }

  closed(error: AmqpError | undefined): void {
    if (error) this.#context.log.debug('a client is gone', { condition: error.condition, error });
    this.#gone();
  }

  #sends(link: IncomingLink): void {
    if (link.target?.dynamic) throw new AmqpError('amqp:not-implemented', 'Only a source may be dynamic.');
    const name = link.target?.address;
    const address = name ? this.#hub.address(this.#allowed(name)) : undefined;
    new ClientSender(link, this.#context, address, (other) => this.#hub.address(this.#allowed(other))).open();
  }

  #receives(link: OutgoingLink): void {
    const { source } = link;
    if (!source) throw new AmqpError('amqp:invalid-field', 'The link has no source.');
    if (source.dynamic) {
      source.address = replyAddress(this.#hub.router);
      this.#hub.address(source.address).addReceiver(link);
      return;
    }
    if (!source.address) throw new AmqpError('amqp:invalid-field', 'The source has no address.');
    if (replyRouter(source.address) !== undefined)
      throw new AmqpError('amqp:not-allowed', 'An address for replies belongs to the client that it was made for.');
    const name = this.#allowed(source.address);
    if (!this.#hub.hasRoomFor(name))
      throw new AmqpError('amqp:resource-limit-exceeded', 'This router has as many addresses as it takes.');
    this.#hub.address(name).addReceiver(link);
  }

  /** Replies go to whoever asked, also behind a listener for one address. */
  #allowed(name: string): string {
    if (!isAddress(name))
      throw new AmqpError(
        'amqp:invalid-field',
        'An address has at most 253 characters, none of them a blank or a control character.',
      );
    if (this.#only === undefined || name === this.#only || replyRouter(name) !== undefined) return name;
    throw new AmqpError('amqp:not-allowed', `This port is for ${this.#only} only; ${name} needs a listener of its own.`);
  }
}
