import { sentence } from '../runtime/errors.ts';
import { isCancelled, type LogLike } from './like.ts';

const PEM = /-----BEGIN [^-]+-----[\s\S]*?(-----END [^-]+-----|$)/g;
const SECRET = /\b(code|token|password|secret|authorization)(["']?\s*[:=]\s*["']?(?:bearer\s+)?)[^\s"',}]+/gi;

/** A text without keys, certificates, codes and passwords: a log is copied into tickets. */
export function redact(text: string): string {
  return text.replace(PEM, '[hidden]').replace(SECRET, '$1$2[hidden]');
}

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
