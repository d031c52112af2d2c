/** What drains for longer than this after the end was told is cut off by ending the process. Milliseconds. */
const LONGEST_END_MS = 10_000;

/** Why a process that runs in the foreground ends, and when. */
export interface Lifetime {
  /** Resolves to the reason, once. */
  readonly ended: Promise<string>;
  end(reason: string): void;
}

/**
 * A lifetime that SIGTERM, SIGINT or `end` ends; with `untilStdinCloses` also the end of standard input, which is how a child
 * notices that its parent is gone, however it went. A second signal ends the process at once.
 */
export function startLifetime({ untilStdinCloses = false } = {}): Lifetime {
  let end!: (reason: string) => void;
  const ended = new Promise<string>((resolve) => {
    end = resolve;
  });
  // Without a reference: it keeps no process alive, it ends one that something else keeps alive.
  void ended.then(() => setTimeout(() => process.exit(), LONGEST_END_MS).unref());
  let told = false;
  const signalled = (signal: NodeJS.Signals) => {
    if (told) process.exit(signal === 'SIGINT' ? 130 : 143);
    told = true;
    end(signal);
  };
  process.on('SIGTERM', signalled).on('SIGINT', signalled);
  if (untilStdinCloses) {
    const closed = () => end('standard input closed');
    process.stdin.on('end', closed).on('close', closed).on('error', closed).resume();
    void ended.then(() => process.stdin.destroy());
  }
  return { ended, end };
}

/** What starts; undefined where the end comes before. It is closed then as soon as it has started: nobody else would. */
export async function startedWithin<T extends { close(): Promise<void> }>(
  { ended }: Pick<Lifetime, 'ended'>,
  starting: Promise<T>,
): Promise<T | undefined> {
  const started = await Promise.race([starting, ended.then(() => undefined)]);
  if (!started)
    await starting.then(
      (late) => late.close(),
      () => undefined,
    );
  return started;
}
