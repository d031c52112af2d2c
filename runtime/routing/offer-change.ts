import { MAX_NAME_LENGTH, MAX_NAMED_TARGETS, MAX_PORTS_PER_OFFER } from './limits.ts';
import type { Offer } from './types.ts';
import { isOffer } from './validate.ts';

/** What becomes of a router's offers: new or changed ones, and the keys of those that are gone. */
export interface OfferChange {
  put: Offer[];
  drop: string[];
}

/** What has to change for a router to offer just this, where it offered `before`, by address. */
export function changeTo(offers: readonly Offer[], before: ReadonlyMap<string, Offer>): OfferChange {
  const after = new Map(offers.flatMap((offer) => takeable(offer)).map((offer) => [offer.address, offer]));
  return {
    put: [...after.values()].filter((offer) => JSON.stringify(before.get(offer.address)) !== JSON.stringify(offer)),
    drop: [...before.keys()].filter((address) => !after.has(address)),
  };
}

/** What neighbours take of an offer: one that gets more cuts the link, and with it everything else that this router offers. */
function takeable(offer: Offer): Offer[] {
  const bounded = {
    ...offer,
    ports: offer.ports.slice(0, MAX_PORTS_PER_OFFER).map((port) => ({
      ...port,
      targets: port.targets.slice(0, MAX_NAMED_TARGETS).map((target) => target.slice(0, MAX_NAME_LENGTH)),
    })),
  };
  return isOffer(bounded) ? [bounded] : [];
}
