/** The parts of VS Code's objects that services need, so that they can be tested without it. */
export interface DisposableLike {
  dispose(): unknown;
}

export interface CancellationTokenLike {
  readonly isCancellationRequested: boolean;
  onCancellationRequested(listener: () => void): DisposableLike;
}

/** VS Code's LogOutputChannel, as far as it is written to. */
export interface LogLike {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** Aborts when the token is cancelled. */
export function toSignal(token: CancellationTokenLike): AbortSignal {
  const controller = new AbortController();
  if (token.isCancellationRequested) controller.abort(new Cancelled());
  else token.onCancellationRequested(() => controller.abort(new Cancelled()));
  return controller.signal;
}

/** The person changed their mind: ends a command without a word. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
  constructor() {
    super('Cancelled.');
  }
}

/** Whether a failure is only what cancelling looks like. */
export function isCancelled(error: unknown): boolean {
  return error instanceof Error && (error.name === 'Cancelled' || error.name === 'AbortError');
}
