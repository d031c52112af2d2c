/** What the bodies of requests must look like. Each complaint is one sentence that names the field. */
import * as v from 'valibot';
import { CaravanError } from '../errors.ts';
import { MAX_NAME_LENGTH } from '../routing/limits.ts';
import {
  address,
  addressOrAny,
  aggregate,
  cost,
  distribution,
  duration,
  host,
  intercept,
  name,
  pem,
  port,
  portOrNone,
  protocol,
  text,
  wholeNumber,
} from './fields.ts';
import type {
  ExposeRequest,
  InterceptRequest,
  IssueTokenRequest,
  ListenRequest,
  ProxyRequest,
  RedeemTokenRequest,
} from './types.ts';
import { LISTENER_DISTRIBUTIONS, MAX_MADE_NAME_LENGTH, MAX_REQUEST_WEIGHT } from './vocabulary.ts';

/** A body larger than this is refused. Bytes. */
export const MAX_BODY_BYTES = 1024 * 1024;

/** The name is a part of a file's, whose length is limited. */
const linkName = v.pipe(name, v.maxLength(MAX_MADE_NAME_LENGTH, `is longer than ${MAX_MADE_NAME_LENGTH} characters`));
const portForward = v.strictObject({
  kubeconfig: v.optional(text(4096)),
  context: text(1024),
  namespace: text(MAX_NAME_LENGTH),
});

export const issueTokenBody: v.GenericSchema<unknown, IssueTokenRequest> = v.strictObject({
  expires: v.optional(duration),
  uses: v.optional(wholeNumber(1, 10_000)),
});
export const redeemTokenBody: v.GenericSchema<unknown, RedeemTokenRequest> = v.strictObject({
  yaml: text(MAX_BODY_BYTES),
  cost: v.optional(cost),
  name: v.optional(linkName),
  portForward: v.optional(portForward),
});
const keyPair = { certificate: pem, key: pem };

export const exposeBody: v.GenericSchema<unknown, ExposeRequest> = v.strictObject({
  address,
  port,
  host: v.optional(host),
  type: v.optional(protocol),
  distribution: v.optional(distribution),
  aggregate: v.optional(aggregate),
  header: v.optional(text(1024)),
  pathPrefix: v.optional(text(1024)),
  weight: v.optional(wholeNumber(1, MAX_REQUEST_WEIGHT)),
  proxyProtocol: v.optional(v.literal('v2', 'must be v2')),
  tls: v.optional(
    v.strictObject({
      authority: v.optional(pem),
      serverName: v.optional(host),
      insecure: v.optional(v.boolean('must be true or false')),
      client: v.optional(v.strictObject(keyPair)),
    }),
  ),
  listenerCredentials: v.optional(name),
});
export const interceptBody: v.GenericSchema<unknown, InterceptRequest> = v.strictObject({
  address,
  port,
  host: v.optional(host),
  how: v.optional(intercept),
  header: v.optional(text(1024)),
  servicePort: v.optional(port),
  hold: v.optional(v.boolean('must be true or false')),
});
export const listenBody: v.GenericSchema<unknown, ListenRequest> = v.strictObject({
  address: addressOrAny,
  port: portOrNone,
  host: v.optional(host),
  type: v.optional(protocol),
  servicePort: v.optional(port),
  distribution: v.optional(v.picklist(LISTENER_DISTRIBUTIONS, `must be one of ${LISTENER_DISTRIBUTIONS.join(', ')}`)),
  idleTimeout: v.optional(duration),
  tls: v.optional(v.strictObject({ ...keyPair, clientAuthority: v.optional(pem) })),
  alpn: v.optional(text(1024)),
});
export const proxyBody: v.GenericSchema<unknown, ProxyRequest> = v.strictObject({ port: v.optional(portOrNone) });
export const revokeBody: v.GenericSchema<unknown, { site: string }> = v.strictObject({ site: text(MAX_NAME_LENGTH) });

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
  // What should have been a key may be a part of one.
  if (field.endsWith('.key')) return `"${field}" ${issue.message}.`;
  const json = JSON.stringify(issue.input) ?? 'nothing';
  const shown = json.length > 60 ? `${json.slice(0, 57)}...` : json;
  return `"${field}" is ${shown}; it ${issue.message}.`;
}
