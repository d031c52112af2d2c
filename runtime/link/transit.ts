import { MAX_WINDOW_BYTES } from './credit.ts';
import type { CreditHolder } from './credit-gate.ts';
import type { StreamHandler, StreamPort } from './raw-stream.ts';

/**
 * Joins a stream that came in with its continuation on the next link. Only stream numbers change; credit passes through, so
 * what waits here is bounded by the window that the two ends agreed on, and an end that sends more than that is cut off. While too much
 * waits here of all streams together, credit waits as well.
 *
 * @param openerWindow What of the opener's window the continuation is opened with. Bytes
 * @param held The rest of it. Bytes
 */
export function spliceTransit(from: StreamPort, to: StreamPort, openerWindow: number, held = 0): void {
  const towards = new Direction(from, to);
  const back = new Direction(to, from);
  back.open(openerWindow, held);
  from.handler = half(to, towards, back, from);
  to.handler = half(from, back, towards, to);
}

/** How much of a window is granted to begin with to who sends what goes out on a port. Bytes. */
export function beginningOf(window: number, port: StreamPort): number {
  return port.gate?.beginning(window) ?? window;
}

/** One direction: what its sender may still send, and what its receiver has granted besides. */
class Direction implements CreditHolder {
  readonly #sender: StreamPort;
  readonly #receiver: StreamPort;
  /** Its receiver has said how much it takes to begin with. */
  isOpen = false;
  /** Bytes. */
  #credit = 0;
  /** Granted by the receiver, and not passed on to the sender. Bytes. */
  #held = 0;
  /** Passed on since the beginning. Bytes. */
  #passed = 0;
  #waits = false;
  /** Its sender has said that it is held up, and has got nothing since. */
  #isBlocked = false;

  constructor(sender: StreamPort, receiver: StreamPort) {
    this.#sender = sender;
    this.#receiver = receiver;
  }

  get isDone(): boolean {
    return this.#held === 0 || this.#sender.closed;
  }

  open(window: number, held: number): void {
    this.isOpen = true;
    this.#credit = window;
    this.#passed = window;
    this.#held = held;
  }

  /** False where so much was not granted. */
  take(bytes: number): boolean {
    this.#credit -= bytes;
    return this.#credit >= 0;
  }

  grant(bytes: number): void {
    this.#held = Math.min(this.#held + bytes, MAX_WINDOW_BYTES);
    this.#pass(bytes);
  }

  /** The sender is held up: by what is held here, else by the receiver. As much as it has had is a start that soon is all of it. */
  blocked(): void {
    if (this.#held > 0) this.#pass(this.#passed);
    else if (!this.#isBlocked) {
      this.#isBlocked = true;
      this.#receiver.sendBlocked();
    }
  }

  release(most: number): number {
    const bytes = this.#sender.closed ? 0 : Math.min(this.#held, most);
    this.#held -= bytes;
    if (this.#held === 0) this.#waits = false;
    if (bytes === 0) return 0;
    this.#credit = Math.min(this.#credit + bytes, MAX_WINDOW_BYTES);
    this.#passed += bytes;
    this.#isBlocked = false;
    this.#sender.sendCredit(bytes);
    return bytes;
  }

  #pass(bytes: number): void {
    if (this.#waits) return;
    const { gate } = this.#receiver;
    if (!gate || gate.isOpen) this.release(bytes);
    else {
      this.#waits = true;
      gate.wait(this);
    }
  }
}

/** What arrives on `self` goes out on `other`. */
function half(other: StreamPort, outgoing: Direction, incoming: Direction, self: StreamPort): StreamHandler {
  const breach = (message: string) => {
    const reason = { code: 'protocol', message } as const;
    self.sendReset(reason);
    other.sendReset(reason);
  };
  return {
    opened(window, info) {
      if (incoming.isOpen) return breach('a stream was accepted twice');
      const beginning = beginningOf(window, self);
      incoming.open(beginning, window - beginning);
      return other.sendOpened(beginning, info);
    },
    refused: (reason) => other.sendRefused(reason),
    data(payload) {
      if (outgoing.take(payload.length)) other.sendData(payload);
      else breach('more was sent than the window allows');
    },
    ended: () => other.sendEnd(),
    reset: (reason) => other.sendReset(reason),
    credit: (bytes) => incoming.grant(bytes),
    blocked: () => outgoing.blocked(),
    lost: (members) => other.sendLost(members),
    drained() {},
  };
}
