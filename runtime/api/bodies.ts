/** What the bodies of requests must look like. Each complaint is one sentence that names the field. */
import * as v from 'valibot';
import { CaravanError } from '../errors.ts';
import type { ExposeRequest, IssueTokenRequest, ListenRequest, RedeemTokenRequest } from './types.ts';

/** A body larger than this is refused. Bytes. */
export const MAX_BODY_BYTES = 1024 * 1024;

const text = (most: number) =>
  v.pipe(
    v.string('must be text'),
    v.minLength(1, 'must not be empty'),
    v.maxLength(most, `must not be longer than ${most} characters`),
  );
const whole = (least: number, most: number) => {
  const message = `must be a whole number from ${least} to ${most}`;
  return v.pipe(v.number(message), v.integer(message), v.minValue(least, message), v.maxValue(most, message));
};
const name = v.pipe(
  text(253),
  v.regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'may have lower case letters, digits, "-" and "." only'),
);
const address = v.pipe(text(253), v.regex(/^[\w][\w./:@-]*$/, 'may have letters, digits and . / : @ _ - only'));
const host = v.pipe(text(253), v.regex(/^[\w.:%-]+$/, 'must be a host name or an address, without a scheme or a port'));
const type = v.picklist(['tcp', 'udp', 'http', 'http2', 'amqp'], 'must be one of tcp, udp, http, http2, amqp');
const distribution = v.picklist(['balanced', 'closest', 'multicast'], 'must be one of balanced, closest, multicast');
const duration = v.pipe(text(32), v.regex(/^(\d+(\.\d+)?(ms|s|m|h))+$/, 'must be a duration such as 30s, 15m or 1h30m'));
const portForward = v.strictObject({
  kubeconfig: v.optional(text(4096)),
  context: text(1024),
  namespace: text(253),
});

export const issueTokenBody: v.GenericSchema<unknown, IssueTokenRequest> = v.strictObject({
  expires: v.optional(duration),
  uses: v.optional(whole(1, 10_000)),
});
export const redeemTokenBody: v.GenericSchema<unknown, RedeemTokenRequest> = v.strictObject({
  yaml: text(MAX_BODY_BYTES),
  cost: v.optional(whole(1, 1_000_000)),
  name: v.optional(name),
  portForward: v.optional(portForward),
});
export const exposeBody: v.GenericSchema<unknown, ExposeRequest> = v.strictObject({
  address,
  port: whole(1, 65_535),
  host: v.optional(host),
  type: v.optional(type),
  distribution: v.optional(distribution),
});
export const listenBody: v.GenericSchema<unknown, ListenRequest> = v.strictObject({
  address,
  port: whole(0, 65_535),
  host: v.optional(host),
  type: v.optional(type),
});
export const revokeBody: v.GenericSchema<unknown, { site: string }> = v.strictObject({ site: text(253) });

/** The body as `schema` wants it, or a `bad-request` that names the first field that is wrong. */
export function parseBody<T>(schema: v.GenericSchema<unknown, T>, body: string): T {
  const parsed = v.safeParse(schema, parseJson(body), { abortEarly: true });
  if (parsed.success) return parsed.output;
  throw new CaravanError('bad-request', complaint(parsed.issues[0]));
}

function parseJson(body: string): unknown {
  try {
    return body.trim() === '' ? {} : JSON.parse(body);
  } catch {
    throw new CaravanError('bad-request', 'The request is not valid JSON: send one object.');
  }
}

function complaint(issue: v.BaseIssue<unknown>): string {
  const field = v.getDotPath(issue);
  if (field === null) return 'The request must be one JSON object.';
  if (issue.expected === 'never') return `"${field}" is not known here: leave it out.`;
  if (issue.received === 'undefined') return `"${field}" is missing.`;
  const json = JSON.stringify(issue.input) ?? 'nothing';
  const shown = json.length > 60 ? `${json.slice(0, 57)}...` : json;
  return `"${field}" is ${shown}; it ${issue.message}.`;
}
