import { MAX_WINDOW_BYTES } from './link-stream.ts';
import type { RawStream, StreamHandler } from './raw-stream.ts';

/**
 * Joins a stream that came in with its continuation on the next link. Only stream numbers change; credit passes through, so
 * what waits here is bounded by the window that the two ends agreed on, and an end that sends more than that is cut off.
 */
export function spliceTransit(from: RawStream, to: RawStream, openerWindow: number): void {
  const towards = new Budget();
  const back = new Budget(openerWindow);
  from.handler = half(to, towards, back, from);
  to.handler = half(from, back, towards, to);
}

/** Bytes that one direction may still carry. */
class Budget {
  left: number;
  constructor(left = 0) {
    this.left = left;
  }
}

/** What arrives on `self` goes out on `other`. */
function half(other: RawStream, outgoing: Budget, incoming: Budget, self: RawStream): StreamHandler {
  return {
    opened(window, info) {
      incoming.left += window;
      other.sendOpened(window, info);
    },
    refused: (reason) => other.sendRefused(reason),
    data(payload) {
      outgoing.left -= payload.length;
      if (outgoing.left < 0) {
        const reason = { code: 'protocol', message: 'more was sent than the window allows' } as const;
        self.sendReset(reason);
        other.sendReset(reason);
      } else other.sendData(payload);
    },
    ended: () => other.sendEnd(),
    reset: (reason) => other.sendReset(reason),
    credit(bytes) {
      incoming.left = Math.min(incoming.left + bytes, MAX_WINDOW_BYTES);
      other.sendCredit(bytes);
    },
    blocked: () => other.sendBlocked(),
    drained() {},
  };
}
