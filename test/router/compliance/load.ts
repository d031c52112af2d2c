import { until } from '../../support/until.ts';
import type { Door, Protocol } from './protocol.ts';

const CLIENTS = 8;

/** Clients that make one exchange after another. */
export class Load {
  readonly #protocol: Protocol;
  readonly #clients: Promise<void>[];
  readonly #failures: string[] = [];
  #answers = 0;
  /** Exchanges of each client that came to their end. */
  readonly #ended: number[] = Array.from({ length: CLIENTS }, () => 0);
  #isOver = false;

  constructor(protocol: Protocol, door: Door) {
    this.#protocol = protocol;
    this.#clients = Array.from({ length: CLIENTS }, (_, client) => this.#run(door, client));
  }

  /** Until so many more have come to their end. */
  async answered(count: number): Promise<void> {
    const goal = this.#answers + count;
    await until('answers', () => this.#answers >= goal);
  }

  /** Until nothing that began before this is under way. */
  async turnedOver(): Promise<void> {
    const before = [...this.#ended];
    await until('every client to begin anew', () => this.#ended.every((count, client) => count > before[client]!));
  }

  /** Resolves to what failed. */
  async stop(): Promise<string[]> {
    this.#isOver = true;
    await Promise.all(this.#clients);
    return this.#failures;
  }

  async #run(door: Door, client: number): Promise<void> {
    const question = Buffer.alloc(4096, 'question');
    while (!this.#isOver)
      try {
        const answer = await this.#protocol.ask(door, question);
        if (!answer.equals(question)) this.#failures.push(`another answer: ${answer.toString()}`);
        this.#answers++;
      } catch (error) {
        this.#failures.push(String(error));
      } finally {
        this.#ended[client]!++;
      }
  }
}
