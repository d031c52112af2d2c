import type { Place } from '../routing/types.ts';
import { MAX_WINDOW_BYTES } from './credit.ts';
import { noHandler, type StreamPort } from './raw-stream.ts';
import type { Reason } from './reason.ts';

/** One way that a multicast goes on, and the members that lie there. */
export interface BranchStart {
  port: StreamPort;
  members: Place[];
}

interface Branch extends BranchStart {
  /** What may be sent on it in all, since it was opened; undefined until it has been accepted. */
  granted: number | undefined;
}

/**
 * Joins a stream that came in with several that go on: what arrives goes out on all of them. The sender is granted what the slowest takes, so
 * what waits here is bounded as on any stream. A branch that is lost is left out, and the sender hears of its members. Nothing comes
 * back but that.
 */
export function branchTransit(from: StreamPort, starts: readonly BranchStart[]): void {
  const live = new Set<Branch>(starts.map((start) => ({ ...start, granted: undefined })));
  /** What the sender has been granted, and has sent, since the beginning. */
  let granted = 0;
  let received = 0;
  let isOpen = false;
  let last: Reason = { code: 'unreachable', message: 'no path leads to any member' };

  /** Grants the sender what every branch takes. */
  const grant = () => {
    const grants = [...live].map((branch) => branch.granted);
    if (live.size === 0) return isOpen ? from.sendReset(last) : from.sendRefused(last);
    // Some have not answered yet.
    if (grants.some((each) => each === undefined)) return undefined;
    const least = Math.min(...(grants as number[]));
    if (isOpen && least > granted) from.sendCredit(least - granted);
    if (!isOpen) from.sendOpened(least, {});
    // Members say nothing: that direction is over.
    if (!isOpen) from.sendEnd();
    isOpen = true;
    granted = Math.max(granted, least);
    return undefined;
  };
  const lose = (branch: Branch, reason: Reason) => {
    if (!live.delete(branch)) return;
    last = reason;
    if (live.size > 0) from.sendLost(branch.members);
    grant();
  };
  const resetAll = (reason: Reason) => {
    for (const { port } of live) port.sendReset(reason);
    live.clear();
  };
  const breach = (message: string) => {
    const reason = { code: 'protocol', message } as const;
    resetAll(reason);
    from.sendReset(reason);
  };

  from.handler = {
    ...noHandler,
    data(payload) {
      received += payload.length;
      if (received > granted) breach('more was sent than the window allows');
      else for (const { port } of live) port.sendData(payload);
    },
    ended() {
      for (const { port } of live) port.sendEnd();
    },
    reset: resetAll,
    blocked() {
      for (const { port } of live) port.sendBlocked();
    },
  };
  for (const branch of live)
    branch.port.handler = {
      ...noHandler,
      opened(size) {
        if (branch.granted !== undefined) return;
        branch.granted = Math.min(size, MAX_WINDOW_BYTES);
        grant();
      },
      refused: (reason) => lose(branch, reason),
      data() {
        const reason = { code: 'protocol', message: 'a member of a multicast answered' } as const;
        branch.port.sendReset(reason);
        lose(branch, reason);
      },
      reset: (reason) => lose(branch, reason),
      credit(bytes) {
        if (branch.granted === undefined) return;
        branch.granted = Math.min(branch.granted + bytes, received + MAX_WINDOW_BYTES);
        grant();
      },
      lost(members) {
        branch.members = branch.members.filter(
          (member) => !members.some(({ router, edge }) => router === member.router && edge === member.edge),
        );
        from.sendLost(members);
      },
    };
  for (const { port } of live) if (port.closed) port.handler.refused({ code: 'link-lost', message: 'the link was lost' });
}
