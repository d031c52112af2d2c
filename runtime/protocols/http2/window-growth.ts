/** A window that grows takes so much of what is left at most; one that is opened wide from the start takes less, as it may not need it. */
const MOST_OF_LEFT = 1 / 2;
const FIRST_OF_LEFT = 1 / 16;

/**
 * What the windows of one client's responses may grow by, all together: so much of them may wait for a client that does not read, and no
 * more. Each takes a part of what is left, so that there is always something left for the next.
 */
export class WindowGrowth {
  #left: number;
  readonly #mayGrow: () => boolean;

  /** `mayGrow`: whether there is room for anybody's. Bytes. */
  constructor(bytes: number, mayGrow: () => boolean) {
    this.#left = bytes;
    this.#mayGrow = mayGrow;
  }

  /** Returns what a window that is new is opened by beyond its first size: `most`, or less. Bytes. */
  begin(most: number): number {
    if (most <= 0 || !this.#mayGrow()) return 0;
    const bytes = Math.min(most, Math.floor(this.#left * FIRST_OF_LEFT));
    this.#left -= bytes;
    return bytes;
  }

  /** Whether a window may grow by so many bytes more. */
  grow(bytes: number): boolean {
    if (bytes > this.#left * MOST_OF_LEFT || !this.#mayGrow()) return false;
    this.#left -= bytes;
    return true;
  }

  /** A window is there no more that had grown by so many bytes. */
  giveBack(bytes: number): void {
    this.#left += bytes;
  }
}
