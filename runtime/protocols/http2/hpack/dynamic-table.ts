import { type Field, sizeOf } from '../field.ts';

/** Fields that one end of a connection has seen and both remember, newest first (RFC 7541, section 2.3.2). */
export class DynamicTable {
  /** Oldest first; those before `#gone` have been dropped. */
  #entries: (Field | undefined)[] = [];
  #gone = 0;
  /** Entries that `#entries` begins behind. */
  #before = 0;
  #bytes = 0;
  #maxBytes: number;
  readonly #dropped: ((field: Field, number: number) => void) | undefined;

  /** `dropped` is told of each field that had to go, and of its number. */
  constructor(maxBytes: number, dropped?: (field: Field, number: number) => void) {
    this.#maxBytes = maxBytes;
    this.#dropped = dropped;
  }

  /** Entries that there have been: the number of the next. */
  get count(): number {
    return this.#before + this.#entries.length;
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#makeRoom(0);
  }

  /** The newest is 0. */
  at(age: number): Field | undefined {
    return this.#entries[this.#entries.length - 1 - age];
  }

  /** Older ones go to make room; one that is larger than the table empties it (section 4.4). Returns whether it is in. */
  add(field: Field): boolean {
    const bytes = sizeOf(field);
    this.#makeRoom(bytes);
    if (bytes > this.#maxBytes) return false;
    this.#entries.push(field);
    this.#bytes += bytes;
    return true;
  }

  #makeRoom(bytes: number): void {
    while (this.#bytes > 0 && this.#bytes + bytes > this.#maxBytes) {
      const oldest = this.#entries[this.#gone]!;
      this.#bytes -= sizeOf(oldest);
      this.#dropped?.(oldest, this.#before + this.#gone);
      this.#entries[this.#gone++] = undefined;
    }
    if (this.#gone < 64 || this.#gone * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#gone);
    this.#before += this.#gone;
    this.#gone = 0;
  }
}
