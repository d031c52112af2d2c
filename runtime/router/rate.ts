/** How fast a total grows. */
export class Rate {
  /** Two digits: the third changes all the time, and tells nothing. Undefined: it does not grow. */
  perSecond: number | undefined;
  #before = 0;

  /** Looks at the total so many seconds after the last look. Whether the rate is another one now. */
  take(total: number, seconds: number): boolean {
    const { perSecond } = this;
    // What was made anew counts from 0.
    const grown = Math.max(0, total - this.#before);
    this.#before = total;
    this.perSecond = grown === 0 ? undefined : Number((grown / seconds).toPrecision(2));
    return this.perSecond !== perSecond;
  }
}
