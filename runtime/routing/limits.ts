/**
 * Bounds on what a neighbour may make this router hold. A message beyond one of them is malformed and cuts the link; routers beyond
 * `MAX_ROUTERS` are not taken in, since who tells of them need not be who made them up.
 */
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
/** Instances per millisecond of a clock: the rest is random, and tells two starts apart that a clock gives the same time. */
export const INSTANCES_PER_MS = 1024;
/** An instance further ahead than this is a mistake or a lie, and is not believed: its router could not outbid it. Milliseconds. */
export const MAX_INSTANCE_AHEAD_MS = 10 * 365 * 86_400_000;
/** How long an answer to a request for a router's offers is waited for, before it is asked for again. Milliseconds. */
export const ASK_AGAIN_AFTER_MS = 2000;
/** How often neighbours compare what they have, to heal what was lost. Milliseconds. */
export const DIGEST_EVERY_MS = 30_000;
/** Of one edge router: an interior router offers them as its own, and many edges may hang on it. */
export const MAX_EDGE_OFFERS = 2000;
/** How often routers are looked over for those that cannot be reached any more. Milliseconds. */
export const AGE_EVERY_MS = 1000;
/** Links that anything may pass; bounds the harm of tables that disagree for a moment. */
export const MAX_HOPS = 255;
/** Of one connector's share of requests. */
export const MAX_WEIGHT = 1_000_000;
