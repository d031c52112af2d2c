import type { RouterId } from './types.ts';

/** Costs to the neighbours of each router, as both ends of a link agree on it. */
export type Graph = ReadonlyMap<RouterId, ReadonlyMap<RouterId, number>>;

export interface Path {
  cost: number;
  /** The neighbour of the source that the path starts with; the source itself for its own entry. */
  first: RouterId;
  hops: number;
}

/**
 * Shortest paths from one router to all that can be reached (Dijkstra). Among paths of equal cost the one through the
 * predecessor with the lower id wins, so that every router's tables agree whatever the order of events.
 */
export function shortestPaths(graph: Graph, source: RouterId): Map<RouterId, Path> {
  const done = new Map<RouterId, Path>();
  const best = new Map<RouterId, Candidate>();
  const queue = new MinHeap();
  const start: Candidate = { id: source, cost: 0, via: '', first: source, hops: 0 };
  best.set(source, start);
  queue.push(start);
  for (let next = queue.pop(); next; next = queue.pop()) {
    if (done.has(next.id) || best.get(next.id) !== next) continue;
    done.set(next.id, { cost: next.cost, first: next.first, hops: next.hops });
    for (const [neighbor, linkCost] of graph.get(next.id) ?? []) {
      if (done.has(neighbor)) continue;
      const candidate: Candidate = {
        id: neighbor,
        cost: next.cost + linkCost,
        via: next.id,
        first: next.id === source ? neighbor : next.first,
        hops: next.hops + 1,
      };
      const known = best.get(neighbor);
      if (known && !isBetter(candidate, known)) continue;
      best.set(neighbor, candidate);
      queue.push(candidate);
    }
  }
  return done;
}

interface Candidate extends Path {
  id: RouterId;
  via: RouterId;
}

function isBetter(a: Candidate, b: Candidate): boolean {
  return a.cost < b.cost || (a.cost === b.cost && a.via < b.via);
}

/** A binary heap, lowest cost on top, then lowest id. */
class MinHeap {
  readonly #items: Candidate[] = [];

  push(item: Candidate): void {
    const items = this.#items;
    let at = items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(item, items[parent]!)) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = item;
  }

  pop(): Candidate | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (!last || items.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && before(items[child + 1]!, items[child]!)) child++;
      if (!before(items[child]!, last)) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
    return top;
  }
}

function before(a: Candidate, b: Candidate): boolean {
  return a.cost < b.cost || (a.cost === b.cost && a.id < b.id);
}
