/** How many are remembered. */
const MOST = 1000;

/** The streams that this end broke off lately: what the other end had sent by then is no fault of it (RFC 9113, section 5.1). */
export class RecentStreams {
  readonly #ids = new Set<number>();
  /** Nothing is known of those up to this one. */
  #forgotten = 0;

  add(id: number): void {
    this.#ids.add(id);
    if (this.#ids.size <= MOST) return;
    const [oldest] = this.#ids;
    this.#ids.delete(oldest!);
    this.#forgotten = Math.max(this.#forgotten, oldest!);
  }

  /** Also where it may have been one, so long ago that nobody knows. */
  has(id: number): boolean {
    return id <= this.#forgotten || this.#ids.has(id);
  }
}
