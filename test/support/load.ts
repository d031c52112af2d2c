import assert from 'node:assert/strict';
import { ask } from './tcp.ts';
import { until } from './until.ts';

/** Clients that ask one question after another at a local port. */
export class Load {
  #isOver = false;
  #answers = 0;
  /** A list of its own from each `noteFromHere` on: who asked before writes into the list before. */
  #failures: string[] = [];
  readonly #tell: (outcome: string) => void;
  readonly #clients: Promise<void>[];

  /** `tell` hears `ok ANSWER` or `failed REASON` of each question. */
  constructor(port: number, clients: number, tell: (outcome: string) => void = () => {}) {
    this.#tell = tell;
    this.#clients = Array.from({ length: clients }, () => this.#run(port));
  }

  /** Forgets the failures so far, and those still to come of what was asked before now. */
  noteFromHere(): void {
    this.#failures = [];
  }

  answered(count: number): Promise<boolean> {
    const goal = this.#answers + count;
    return until(`${count} answers`, () => this.#answers >= goal, { timeoutMs: 60_000 });
  }

  /** Resolves to the failures of what was asked since the last `noteFromHere`. */
  async stop(): Promise<string[]> {
    this.#isOver = true;
    await Promise.all(this.#clients);
    return this.#failures;
  }

  async #run(port: number): Promise<void> {
    while (!this.#isOver) {
      const noted = this.#failures;
      try {
        const answer = await ask(port, 'load');
        assert.match(answer, / load$/);
        this.#answers++;
        this.#tell(`ok ${answer}`);
      } catch (error) {
        noted.push(String(error));
        if (noted === this.#failures) this.#tell(`failed ${String(error)}`);
      }
    }
  }
}
