import type { DisposableLike } from './like.ts';

/** Tells its listeners that something changed; what it is now, they ask for themselves. */
export class Emitter {
  readonly #listeners = new Set<() => void>();

  on(listener: () => void): DisposableLike {
    this.#listeners.add(listener);
    return { dispose: () => this.#listeners.delete(listener) };
  }

  fire(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Calls `action` once `ms` after the first of a burst of calls: a busy network must not redraw the trees for every change. */
export function debounce(action: () => void, ms: number): (() => void) & DisposableLike {
  let timer: NodeJS.Timeout | undefined;
  const call = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      action();
    }, ms);
  };
  return Object.assign(call, { dispose: () => clearTimeout(timer) });
}
