import { sentence } from '../runtime/errors.ts';
import { redact } from '../runtime/redact.ts';
import { isCancelled, type LogLike } from './like.ts';

/** Writes what Caravan asks of others, how long it took and how it ended: the answer to "what did it run?". */
export class Operations {
  readonly #log: LogLike;
  constructor(log: LogLike) {
    this.#log = log;
  }

  async run<T>(name: string, operation: () => Promise<T>): Promise<T> {
    const start = performance.now();
    const took = () => `${Math.round(performance.now() - start)} ms`;
    this.#log.info(`${redact(name)} …`);
    try {
      const result = await operation();
      this.#log.info(`${redact(name)}: done in ${took()}`);
      return result;
    } catch (error) {
      if (isCancelled(error)) this.#log.info(`${redact(name)}: cancelled after ${took()}`);
      else this.#log.warn(`${redact(name)}: failed after ${took()}: ${redact(sentence(error))}`);
      throw error;
    }
  }
}
