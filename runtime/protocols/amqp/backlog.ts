/** What waits at one place, of the messages that were given to it: bytes, up to a limit. */
export class Backlog {
  readonly #limit: number;
  readonly #roomAgain: () => void;
  #bytes = 0;
  #wasFull = false;

  /** @param roomAgain It was found full, and half of it is empty again. */
  constructor(limit: number, roomAgain: () => void) {
    this.#limit = limit;
    this.#roomAgain = roomAgain;
  }

  get isFull(): boolean {
    const isFull = this.#bytes >= this.#limit;
    if (isFull) this.#wasFull = true;
    return isFull;
  }

  /** So many bytes more wait, or fewer. */
  change(bytes: number): void {
    this.#bytes += bytes;
    if (!this.#wasFull || this.#bytes > this.#limit / 2) return;
    this.#wasFull = false;
    this.#roomAgain();
  }
}
