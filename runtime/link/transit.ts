import { MAX_WINDOW_BYTES } from './credit.ts';
import type { StreamHandler, StreamPort } from './raw-stream.ts';

/**
 * Joins a stream that came in with its continuation on the next link. Only stream numbers change; credit passes through, so
 * what waits here is bounded by the window that the two ends agreed on, and an end that sends more than that is cut off.
 */
export function spliceTransit(from: StreamPort, to: StreamPort, openerWindow: number): void {
  const towards: Direction = { credit: 0, isBlocked: false, isOpen: false };
  const back: Direction = { credit: openerWindow, isBlocked: false, isOpen: true };
  from.handler = half(to, towards, back, from);
  to.handler = half(from, back, towards, to);
}

/** What one direction may still carry. */
interface Direction {
  /** Bytes. */
  credit: number;
  /** Its sender has said that it is held up, and has got nothing since. */
  isBlocked: boolean;
  /** Its receiver has said how much it takes to begin with. */
  isOpen: boolean;
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
      incoming.isOpen = true;
      incoming.credit = window;
      return other.sendOpened(window, info);
    },
    refused: (reason) => other.sendRefused(reason),
    data(payload) {
      outgoing.credit -= payload.length;
      if (outgoing.credit < 0) breach('more was sent than the window allows');
      else other.sendData(payload);
    },
    ended: () => other.sendEnd(),
    reset: (reason) => other.sendReset(reason),
    credit(bytes) {
      incoming.credit = Math.min(incoming.credit + bytes, MAX_WINDOW_BYTES);
      incoming.isBlocked = false;
      other.sendCredit(bytes);
    },
    blocked() {
      if (outgoing.isBlocked) return;
      outgoing.isBlocked = true;
      other.sendBlocked();
    },
    lost: (members) => other.sendLost(members),
    drained() {},
  };
}
