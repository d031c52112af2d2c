interface Follower {
  readonly step: number;
  readonly reached: () => void;
  /** Until the next call. */
  left: number;
}

const followers = new Set<Follower>();

/**
 * Calls `reached` each time that the links of this process have carried `step` bytes more for somebody, received and sent together. Returns
 * what ends that.
 */
export function eachCarried(step: number, reached: () => void): () => void {
  const follower = { step, reached, left: step };
  followers.add(follower);
  return () => void followers.delete(follower);
}

/** A link has received or sent so many bytes of streams and datagrams. */
export function carried(bytes: number): void {
  for (const follower of followers) {
    follower.left -= bytes;
    if (follower.left > 0) continue;
    follower.left = follower.step;
    follower.reached();
  }
}
