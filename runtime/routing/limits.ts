/** Bounds on what a neighbour may make this router hold. Beyond one of them the link is cut, and the reason names the limit. */
export const MAX_ROUTERS = 20_000;
export const MAX_NEIGHBORS = 20_000;
export const MAX_OFFERS_PER_ROUTER = 200_000;
export const MAX_PORTS_PER_OFFER = 64;
/** More servers than this behind one port are balanced by their own router all the same; only the first are named to others. */
export const MAX_NAMED_TARGETS = 256;
export const MAX_NAME_LENGTH = 253;
/** Of one link. A path's cost is a sum of these. */
export const MAX_COST = 1_000_000;
/** A router that no path leads to is forgotten after this, with what it offered. Milliseconds. */
export const FORGET_AFTER_MS = 600_000;
/** How often neighbours compare what they have, to heal what was lost. Milliseconds. */
export const DIGEST_EVERY_MS = 30_000;
