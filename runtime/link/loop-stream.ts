import type { Place } from '../routing/types.ts';
import { MAX_PAYLOAD_BYTES } from './frames.ts';
import { noHandler, type StreamHandler, type StreamPort } from './raw-stream.ts';
import type { Reason } from './reason.ts';

/** A stream that never leaves this router: what one end sends arrives at the other, in a later turn of the event loop. */
export function loopStreams(): [StreamPort, StreamPort] {
  const [near, far] = [new LoopStream(), new LoopStream()];
  near.other = far;
  far.other = near;
  return [near, far];
}

class LoopStream implements StreamPort {
  handler: StreamHandler = noHandler;
  other: LoopStream | undefined;
  closed = false;
  /** Nothing waits here: the credit of the two ends is all there is. */
  readonly isFull = false;
  readonly pieceBytes = MAX_PAYLOAD_BYTES;
  readonly gate = undefined;

  /** Whoever made the two ends knows what the stream is for. */
  sendOpen(): void {}

  sendOpened(window: number, info: unknown): void {
    this.#tell(({ handler }) => handler.opened(window, info));
  }

  sendRefused(reason: Reason): void {
    this.#tell(({ handler }) => handler.refused(reason));
    this.closed = true;
  }

  sendData(payload: Buffer): void {
    this.#tell(({ handler }) => handler.data(payload));
  }

  sendEnd(): void {
    this.#tell(({ handler }) => handler.ended());
  }

  sendReset(reason: Reason): void {
    this.#tell(({ handler }) => handler.reset(reason));
    this.closed = true;
  }

  sendCredit(bytes: number): void {
    this.#tell(({ handler }) => handler.credit(bytes));
  }

  sendBlocked(): void {
    this.#tell(({ handler }) => handler.blocked());
  }

  sendLost(members: readonly Place[]): void {
    this.#tell(({ handler }) => handler.lost([...members]));
  }

  #tell(what: (other: LoopStream) => void): void {
    const { other } = this;
    if (this.closed || !other) return;
    queueMicrotask(() => {
      if (!other.closed) what(other);
    });
  }
}
