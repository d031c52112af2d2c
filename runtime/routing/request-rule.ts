import { type Intercept, isServer } from './intercept.ts';
import { MAX_NAME_LENGTH } from './limits.ts';

/** Which requests a server takes: those that have all of this. */
export interface RequestRule {
  /** A field, its name in lower case, with this value, or with it as one of a list: `baggage: a=b, caravan=ada` has `caravan=ada`. */
  header?: { name: string; value: string };
  /** The first part of the path: `/v2` is for `/v2` and `/v2/orders`, not for `/v20`. */
  path?: string;
}

/** As people write it: `baggage: caravan=ada`. */
export function headerText({ name, value }: { name: string; value: string }): string {
  return `${name}: ${value}`;
}

/** What a request is routed by. */
export interface RequestTraits {
  /** Without the query. */
  readonly path: string;
  /** The value of a field, whatever the case of its name; of several lines, joined with commas. */
  header(name: string): string | undefined;
}

interface Taker {
  rule?: RequestRule | undefined;
  intercept?: Intercept | undefined;
}

/** More than any rule's. */
const INTERCEPT_RANK = 2 * MAX_NAME_LENGTH + 2;

/**
 * Those that a request is for: whose rule is the most specific that it satisfies; the longer path first, then with a field before without. Where
 * it satisfies none, or it is not known, those without a rule. Who stands in for the servers comes before all of them.
 */
export function takersOf<T extends Taker>(all: readonly T[], request: RequestTraits | undefined): T[] {
  let best: T[] = [];
  let most = -1;
  for (const each of all) {
    const rank = rankOf(each, request);
    if (rank === undefined || rank < most) continue;
    if (rank > most) best = [];
    most = rank;
    best.push(each);
  }
  return best;
}

function rankOf(taker: Taker, request: RequestTraits | undefined): number | undefined {
  if (!isServer(taker)) return undefined;
  const { rule, intercept } = taker;
  const rank = rule ? specificityOf(rule, request) : 0;
  return rank !== undefined && intercept ? INTERCEPT_RANK + rank : rank;
}

/** How specific a rule is that a request satisfies, from 1 on; undefined where it does not, or is not known. */
function specificityOf({ header, path }: RequestRule, request: RequestTraits | undefined): number | undefined {
  if (!request || (path !== undefined && !isBelow(request.path, path))) return undefined;
  if (header && !hasValue(request.header(header.name), header.value)) return undefined;
  return 2 * (path?.length ?? 0) + (header ? 1 : 0) || 1;
}

/** Whether somebody who listens in wants a copy of a request. */
export function hears({ rule }: Taker, request: RequestTraits): boolean {
  return rule === undefined || specificityOf(rule, request) !== undefined;
}

function isBelow(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || prefix.endsWith('/') || path[prefix.length] === '/');
}

function hasValue(field: string | undefined, value: string): boolean {
  return field !== undefined && (field.trim() === value || field.split(',').some((part) => part.trim() === value));
}
