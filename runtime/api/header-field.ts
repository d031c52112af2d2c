import { MAX_RULE_LENGTH } from './vocabulary.ts';

/** A field of a request and its value as people write it, `baggage: caravan=ada`; undefined where it is none. The name comes back in lower case. */
export function readField(text: string): { name: string; value: string } | undefined {
  const [, name, value] = /^([\w!#$%&'*+.^`|~-]+)\s*:\s*(\S.*)$/.exec(text.trim()) ?? [];
  if (name === undefined || value!.length > MAX_RULE_LENGTH) return undefined;
  return { name: name.toLowerCase(), value: value! };
}
