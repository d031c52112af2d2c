/** How fast a total grows. */
export class Rate {
  /** Two digits: the third changes all the time, and tells nothing. Undefined: it does not grow. */
  perSecond: number | undefined;
  #before = 0;

  /**
   * Looks at the total so many seconds after the last look. Whether the rate is another one now: a fifth more or less is none.
   *
   * @param least Less than this a second counts as none. Default 0.
   */
  take(total: number, seconds: number, least = 0): boolean {
    // What was made anew counts from 0.
    const grown = Math.max(0, total - this.#before);
    this.#before = total;
    const { perSecond: told } = this;
    const now = grown === 0 || grown / seconds < least ? undefined : Number((grown / seconds).toPrecision(2));
    const isNews = now === undefined || told === undefined ? now !== told : Math.abs(now - told) > told / 5;
    if (isNews) this.perSecond = now;
    return isNews;
  }
}
