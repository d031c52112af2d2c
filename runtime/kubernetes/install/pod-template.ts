/** What an owner wishes of the router's pod beside what Caravan makes: a partial pod template. Pure. */
import { isDeepStrictEqual } from 'node:util';
import { CaravanError } from '../../errors.ts';

type Json = Record<string, unknown>;

/**
 * `ours` with what `wished` says: maps are merged, null removes. Lists of what has names are merged by name, other lists of maps get what
 * they lack, and lists of texts are replaced.
 */
export function withWishes<T extends object>(ours: T, wished: object): T {
  return merged(ours, wished) as T;
}

/** What a Deployment remembers of an earlier wish. Rejects one that somebody spoilt. */
export function parsePodTemplate(text: string | undefined, where: string): object | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (isMap(value)) return value;
  } catch {
    // As below.
  }
  throw new CaravanError('bad-request', `${where} is no pod template as JSON: mend it, or remove it.`);
}

function merged(ours: unknown, wished: unknown): unknown {
  if (Array.isArray(wished)) return Array.isArray(ours) ? mergedLists(ours, wished) : wished;
  if (!isMap(wished)) return wished;
  const result: Json = isMap(ours) ? { ...ours } : {};
  for (const [key, value] of Object.entries(wished)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

function mergedLists(ours: readonly unknown[], wished: readonly unknown[]): unknown[] {
  if (!wished.every(isMap)) return [...wished];
  const result = [...ours];
  for (const item of wished) {
    const index = result.findIndex((other) => isSame(other, item));
    if (index === -1) result.push(item);
    else result[index] = merged(result[index], item);
  }
  return result;
}

function isSame(a: unknown, b: Json): boolean {
  if (!isMap(a)) return false;
  return 'name' in b ? a['name'] === b['name'] : isDeepStrictEqual(a, b);
}

function isMap(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
