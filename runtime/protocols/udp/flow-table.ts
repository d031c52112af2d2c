/** A flow in which nothing came or went for this long is over: two minutes, as RFC 4787 (REQ-5) asks of what keeps state of UDP. */
export const FLOW_IDLE_MS = 120_000;
/**
 * One that has had its answers: a resolver asks once, or for two kinds of address at once, and takes another port for its next question. On
 * well-known ports only, where REQ-5a allows less than two minutes.
 */
export const EXCHANGE_IDLE_MS = 30_000;
const MAX_EXCHANGE_QUESTIONS = 2;
/** The well-known ports are those below this. */
const WELL_KNOWN_PORTS = 1024;
/** How often idle flows are looked for. Milliseconds. */
export const SWEEP_EVERY_MS = 5000;
/** A flow in use moves behind the others this often: to move it with every datagram would cost each of them. Milliseconds. */
const PLACE_EVERY_MS = 1000;

/** How a flow has been used. */
export interface FlowUse {
  /** The port of the address that its client means. */
  readonly port: number;
  usedAt: number;
  /** When it was put where it stands among the others. */
  placedAt: number;
  questions: number;
  answers: number;
}

export function newUse(port: number): FlowUse {
  const now = performance.now();
  return { port, usedAt: now, placedAt: now, questions: 0, answers: 0 };
}

/** So many flows at most, those first that were silent longest: when there is no room the first one is ended for the next. */
export class FlowTable<F extends FlowUse> {
  readonly #flows = new Map<string, F>();
  readonly #most: number;
  readonly #end: (flow: F) => void;
  readonly #full: () => void;
  readonly #sweeper: NodeJS.Timeout;

  /** `end` lets go of a flow. `full` is called whenever one was ended before its time. */
  constructor(most: number, { end, full }: { end: (flow: F) => void; full: () => void }) {
    this.#most = most;
    this.#end = end;
    this.#full = full;
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_EVERY_MS).unref();
  }

  get size(): number {
    return this.#flows.size;
  }

  get(key: string): F | undefined {
    return this.#flows.get(key);
  }

  add(key: string, flow: F): void {
    this.#flows.set(key, flow);
    if (this.#flows.size <= this.#most) return;
    this.#endFirst();
    this.#full();
  }

  /** A datagram of the client. */
  asked(key: string, flow: F): void {
    flow.questions++;
    this.#used(key, flow);
  }

  /** A datagram for the client. */
  answered(key: string, flow: F): void {
    flow.answers++;
    this.#used(key, flow);
  }

  /** Forgets a flow that is over already. */
  forget(key: string, flow: F): void {
    if (this.#flows.get(key) === flow) this.#flows.delete(key);
  }

  close(): void {
    clearInterval(this.#sweeper);
    for (const flow of this.#flows.values()) this.#end(flow);
    this.#flows.clear();
  }

  #used(key: string, flow: F): void {
    const now = performance.now();
    flow.usedAt = now;
    if (now - flow.placedAt < PLACE_EVERY_MS || this.#flows.get(key) !== flow) return;
    flow.placedAt = now;
    this.#flows.delete(key);
    this.#flows.set(key, flow);
  }

  #endFirst(): void {
    const [first] = this.#flows;
    if (!first) return;
    this.#flows.delete(first[0]);
    this.#end(first[1]);
  }

  #sweep(): void {
    const now = performance.now();
    for (const [key, flow] of this.#flows) {
      if (now - flow.usedAt < idleMs(flow)) continue;
      this.#flows.delete(key);
      this.#end(flow);
    }
  }
}

function idleMs({ port, questions, answers }: FlowUse): number {
  const isExchange = port < WELL_KNOWN_PORTS && questions <= MAX_EXCHANGE_QUESTIONS && answers === questions;
  return isExchange ? EXCHANGE_IDLE_MS : FLOW_IDLE_MS;
}
