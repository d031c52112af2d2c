/** What single fields of requests and resources may hold. A complaint reads on from "it": `it must be text`. */
import * as v from 'valibot';
import { MAX_COST, MAX_NAME_LENGTH } from '../routing/limits.ts';
import {
  ADDRESS_PATTERN,
  AGGREGATES,
  DISTRIBUTIONS,
  DURATION_PATTERN,
  HOST_PATTERN,
  INTERCEPTS,
  NAME_PATTERN,
  PROTOCOLS,
} from './vocabulary.ts';

export function text(most: number) {
  return v.pipe(
    v.string('must be text'),
    v.minLength(1, 'must not be empty'),
    v.maxLength(most, `is longer than ${most} characters`),
  );
}

export function wholeNumber(least: number, most: number) {
  const message = `must be a whole number from ${least} to ${most}`;
  return v.pipe(v.number(message), v.integer(message), v.minValue(least, message), v.maxValue(most, message));
}

const ofName = text(MAX_NAME_LENGTH);
export const name = v.pipe(ofName, v.regex(NAME_PATTERN, 'may have lower case letters, digits, "-" and "." only'));
export const address = v.pipe(ofName, v.regex(ADDRESS_PATTERN, 'may have letters, digits and . / : @ _ - only'));
/** Empty where a listener takes clients of every address: amqp only. */
export const addressOrAny = v.union([v.literal(''), address], ({ issues }) => issues?.at(-1)?.message ?? '');
export const host = v.pipe(ofName, v.regex(HOST_PATTERN, 'must be a host name or an address, without a scheme or a port'));
/** What a site calls itself, as another site tells it: people read it in terminals and logs, where control characters act. */
export const siteName = v.pipe(ofName, v.regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u, 'must not have control characters'));
/** 0 lets the system choose. */
export const portOrNone = wholeNumber(0, 65_535);
export const port = wholeNumber(1, 65_535);
export const cost = wholeNumber(1, MAX_COST);
export const duration = v.pipe(text(32), v.regex(DURATION_PATTERN, 'must be a duration such as 30s, 15m or 1h30m'));
export const protocol = v.picklist(PROTOCOLS, `must be one of ${PROTOCOLS.join(', ')}`);
export const aggregate = v.picklist(AGGREGATES, `must be one of ${AGGREGATES.join(', ')}`);
export const intercept = v.picklist(INTERCEPTS, `must be one of ${INTERCEPTS.join(', ')}`);
export const distribution = v.picklist(DISTRIBUTIONS, `must be one of ${DISTRIBUTIONS.join(', ')}`);
export const pem = v.pipe(
  v.string('must be PEM'),
  v.startsWith('-----BEGIN ', 'must be PEM'),
  v.maxLength(64 * 1024, 'is longer than 64 KiB'),
);
