import type { ServerResponse } from 'node:http';
import { CaravanError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { SiteControl } from './control.ts';
import type { MadeResource } from './types.ts';

/** Connectors that somebody's connection holds: they go when it ends, however the program at its other end came to its end. */
export class Holds {
  readonly #log: Log | undefined;
  readonly #keepAliveMs: number;
  readonly #holders = new Map<string, ServerResponse>();

  /** @param keepAliveMs How often an empty line tells both ends that the other is still there. Milliseconds. */
  constructor(log: Log | undefined, keepAliveMs: number) {
    this.#log = log;
    this.#keepAliveMs = keepAliveMs;
  }

  /** Answers with the connector, a JSON object on a line, and keeps the connection. Who held one of that name before holds it no more. */
  hold(control: SiteControl, response: ServerResponse, made: MadeResource): void {
    this.#holders.set(made.name, response);
    // Who asked may have gone while it was being made.
    if (response.destroyed) return this.#letGo(control, response, made);
    const keepAlive = setInterval(() => response.write('\n'), this.#keepAliveMs);
    response.once('close', () => {
      clearInterval(keepAlive);
      this.#letGo(control, response, made);
    });
    response.writeHead(201, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
    response.write(`${JSON.stringify(made)}\n`);
  }

  /** Made again without a holder: it stays. */
  release({ name }: MadeResource): void {
    this.#holders.delete(name);
  }

  /** The site ends, and what is held with it. */
  close(): void {
    const holders = [...this.#holders.values()];
    this.#holders.clear();
    for (const holder of holders) holder.end();
  }

  #letGo(control: SiteControl, response: ServerResponse, made: MadeResource): void {
    if (this.#holders.get(made.name) !== response) return;
    this.#holders.delete(made.name);
    control.remove(made).catch((error: unknown) => {
      // It may have been taken back meanwhile.
      if (!(error instanceof CaravanError && error.code === 'not-found'))
        this.#log?.error('a connector that was held cannot be removed', { name: made.name, error });
    });
  }
}
