/**
 * How a server stands in for those of its address: `take-over`, it gets all that is for them; `take-some`, the requests that its rule is for;
 * `listen-in`, a copy of each request, and what it answers is for nobody. Without one it is one of the servers of the address.
 */
export type Intercept = 'take-over' | 'take-some' | 'listen-in';

/** Whether it gets something of its own, rather than copies of what others get. Words of a later version do not say so. */
export function isServer({ intercept }: { intercept?: Intercept | undefined }): boolean {
  return intercept === undefined || intercept === 'take-over' || intercept === 'take-some';
}
