import type { AmqpError } from '../wire/amqp-error.ts';
import type { Attach, Terminus } from '../wire/performatives.ts';
import type { Session } from './session.ts';

/** What both directions of a link have in common (section 2.6 of AMQP 1.0). */
export abstract class Link {
  readonly name: string;
  readonly session: Session;
  /** Ours, and the peer's once it has attached. */
  readonly handle: number;
  remoteHandle: number | undefined;
  source: Terminus | undefined;
  target: Terminus | undefined;
  readonly senderSettles: number;
  /** Whether this side attached it, rather than the peer. */
  readonly isOurs: boolean;
  /** Whoever attached it from this side is told when it is over. */
  onClosed: ((error: AmqpError | undefined) => void) | undefined;
  #isAttached = false;
  #isDetached = false;
  #isClosed = false;

  constructor(session: Session, handle: number, attach: LinkAttach, isOurs: boolean) {
    this.session = session;
    this.handle = handle;
    this.name = attach.name;
    this.source = attach.source;
    this.target = attach.target;
    this.senderSettles = attach.senderSettles;
    this.isOurs = isOurs;
  }

  abstract readonly isReceiver: boolean;

  /** Whether messages may go over it. */
  get isOpen(): boolean {
    return this.#isAttached && !this.#isClosed;
  }

  /** Whether this side has said that it ends. */
  get isDetached(): boolean {
    return this.#isDetached;
  }

  /** Takes what the peer attached. A link that the peer gave up meanwhile is left alone. */
  accept(): void {
    if (this.#isAttached || this.#isClosed) return;
    this.#isAttached = true;
    this.session.writeAttach(this, this.source, this.target);
  }

  /** Does not take it: it is attached without what was asked for, and detached with the reason (section 2.6.3). */
  refuse(error: AmqpError): void {
    if (this.#isAttached || this.#isClosed) return;
    this.#isAttached = true;
    if (this.isReceiver) this.session.writeAttach(this, this.source, undefined);
    else this.session.writeAttach(this, undefined, this.target);
    this.detach(error);
  }

  /** Ends it. The peer's answer is awaited by the session. */
  detach(error?: AmqpError): void {
    if (this.#isDetached) return;
    this.#isDetached = true;
    this.session.writeDetach(this, true, error);
    this.close(error);
  }

  /** The peer took what this side attached. */
  remoteAttached(attach: Attach): void {
    this.remoteHandle = attach.handle;
    if (!this.isOurs) return;
    this.#isAttached = true;
    this.source = attach.source;
    this.target = attach.target;
  }

  /** The peer has detached it. */
  remoteDetached(closed: boolean, error: AmqpError | undefined): void {
    if (!this.#isDetached) {
      this.#isDetached = true;
      // A peer that asked and went away before the answer is answered first.
      if (!this.#isAttached) this.session.writeAttach(this, undefined, undefined);
      this.session.writeDetach(this, closed, undefined);
    }
    this.close(error);
  }

  /** It is over, for whatever reason. */
  close(error?: AmqpError): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.closed(error);
    this.onClosed?.(error);
  }

  protected abstract closed(error: AmqpError | undefined): void;
}

/** What a link begins with. */
export type LinkAttach = Pick<Attach, 'name' | 'source' | 'target' | 'senderSettles'>;
