/** Events in the order of their time; those of one time in the order in which they were planned. */
export class Timeline {
  now = 0;
  readonly #heap: { at: number; order: number; event: () => void }[] = [];
  #planned = 0;

  /** @param delay milliseconds of simulated time */
  after(delay: number, event: () => void): void {
    const entry = { at: this.now + delay, order: this.#planned++, event };
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(entry, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  /** Lets time pass until `end`. */
  runUntil(end: number): void {
    while (this.#heap.length > 0 && this.#heap[0]!.at <= end) {
      const { at, event } = this.#pop();
      this.now = at;
      event();
    }
    this.now = end;
  }

  #pop(): { at: number; event: () => void } {
    const heap = this.#heap;
    const top = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

function isBefore(a: { at: number; order: number }, b: { at: number; order: number }): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
