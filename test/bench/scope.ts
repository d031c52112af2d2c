/** Something that runs until it is told to end. */
export interface Stoppable {
  stop(): Promise<unknown> | void;
}

/** What was started for one thing, so that all of it can be ended: last started, first ended. */
export class Scope implements Stoppable {
  readonly #started: Stoppable[] = [];
  #ended = false;

  /** Throws where the scope has ended: who goes on starting things must not leave them behind. */
  use<T extends Stoppable>(thing: T): T {
    if (this.#ended) {
      void Promise.resolve(thing.stop()).catch(() => {});
      throw new Error('everything was told to end');
    }
    this.#started.push(thing);
    return thing;
  }

  /** One that cannot be ended does not keep the others running; what it says is thrown at the end. */
  async stop(): Promise<void> {
    this.#ended = true;
    const errors: unknown[] = [];
    for (let thing = this.#started.pop(); thing; thing = this.#started.pop())
      try {
        await thing.stop();
      } catch (error) {
        errors.push(error);
      }
    if (errors.length > 0) throw errors[0];
  }
}
