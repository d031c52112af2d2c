/** Something that runs until it is told to end. */
export interface Stoppable {
  stop(): Promise<unknown> | void;
}

/** What was started for one thing, so that all of it can be ended: last started, first ended. */
export class Scope implements Stoppable {
  readonly #started: Stoppable[] = [];

  use<T extends Stoppable>(thing: T): T {
    this.#started.push(thing);
    return thing;
  }

  /** One that cannot be ended does not keep the others running; what it says is thrown at the end. */
  async stop(): Promise<void> {
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
