/** Something that runs until it is told to end. */
export interface Stoppable {
  stop(): Promise<unknown> | void;
}

/** What was started for one thing, so that all of it can be ended: last started, first ended. */
export class Scope implements Stoppable {
  readonly #started: Stoppable[] = [];
  #stopping: Promise<void> | undefined;

  /** Throws where the scope has ended: who goes on starting things must not leave them behind. */
  use<T extends Stoppable>(thing: T): T {
    this.#started.push(thing);
    if (!this.#stopping) return thing;
    // A stop that is under way takes it along.
    this.#stopping = this.#stopping.catch(() => {}).then(() => this.#stopAll());
    this.#stopping.catch(() => {});
    throw new Error('everything was told to end');
  }

  /**
   * One that cannot be ended does not keep the others running; what it says is thrown at the end. Whoever calls it again waits for the same: else a
   * process would end while the last thing is still being ended.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
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
