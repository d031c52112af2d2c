/** What the API server or the way to it answers, as one sentence each. */
import { CaravanError } from '../errors.ts';

/** The part of a Kubernetes `Status` that errors are made from. */
interface Status {
  message?: string;
  reason?: string;
}

/** An answer other than 2xx. `status` keeps the number, and `reason` Kubernetes' own word, for callers that expect some. */
export class ApiError extends CaravanError {
  readonly status: number;
  readonly reason: string | undefined;
  constructor(status: number, reason: string | undefined, code: CaravanError['code'], message: string) {
    super(code, message);
    this.status = status;
    this.reason = reason;
  }
}

/** Whether the API server answered with one of these statuses. */
export function isStatus(error: unknown, ...statuses: number[]): error is ApiError {
  return error instanceof ApiError && statuses.includes(error.status);
}

/**
 * Whether what was to be created is there. Not every conflict says so: where a quota was counted for another object meanwhile, nothing is made
 * (https://github.com/kubernetes/kubernetes/issues/67761).
 */
export function isAlreadyThere(error: unknown): boolean {
  return isStatus(error, 409) && error.reason === 'AlreadyExists';
}

/** The quota that refuses an object, by its name. Kubernetes says which in its message only (apiserver, pkg/admission/plugin/resourcequota). */
export function quotaOf(error: unknown): string | undefined {
  return isStatus(error, 403) ? /exceeded quota: ([^\s,]+)/.exec(error.message)?.[1] : undefined;
}

/** `where`: the cluster as people know it, such as `context west`. */
export function apiError(status: number, body: string, where: string): ApiError {
  const { message = body.trim().slice(0, 300), reason } = parseStatus(body);
  const make = (code: CaravanError['code'], text: string) => new ApiError(status, reason, code, text);
  switch (status) {
    case 401:
      return make(
        'unauthorized',
        `The cluster does not accept the credentials of ${where}: they have expired or are wrong. Sign in again.`,
      );
    case 403:
      return make('forbidden', forbidden(message, where));
    case 404:
      return make('not-found', `${sentenceOf(message || 'not found')} (${where}).`);
    case 409:
      return make('conflict', `${sentenceOf(message || 'the object has changed meanwhile')} (${where}).`);
    case 400:
    case 422:
      return make('bad-request', `The cluster refuses this: ${message.replace(/\.$/, '')} (${where}).`);
    default:
      return make(
        'unreachable',
        `The API server of ${where} answers ${status}${message ? `: ${message.replace(/\.$/, '')}` : ''}.`,
      );
  }
}

/** RBAC's own words hold who may not do what where; everything else that is forbidden (quota, policy) speaks for itself. */
const MISSING_RIGHT =
  /User "([^"]*)" cannot (\w+) resource "([^"]*)"(?: in API group "([^"]*)")?(?: in the namespace "([^"]*)"| at the cluster scope)?/;

function forbidden(message: string, where: string): string {
  const [found, user, verb, resource, group, namespace] = MISSING_RIGHT.exec(message) ?? [];
  if (!found) return `${sentenceOf(message || 'this is forbidden')} (${where}).`;
  const place = namespace ? `in the namespace ${namespace}` : 'in the whole cluster';
  const what = group ? `${resource}.${group}` : resource;
  return `${shortUser(user!)} may not ${verb} ${what} ${place} (${where}). Ask whoever runs the cluster for that right.`;
}

function shortUser(user: string): string {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):(.+)$/.exec(user) ?? [];
  return namespace ? `The service account ${namespace}/${name}` : `The user ${user}`;
}

function sentenceOf(message: string): string {
  return (message[0]?.toUpperCase() ?? '') + message.slice(1).replace(/\.$/, '');
}

function parseStatus(body: string): Status {
  try {
    const parsed = JSON.parse(body) as Status | null;
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}

const WHY: Record<string, string> = {
  ECONNREFUSED: 'it refuses connections. Is the cluster running?',
  ENOTFOUND: 'its host name is not known here. Is the VPN up?',
  EAI_AGAIN: 'its host name cannot be looked up just now. Is there a network?',
  ECONNRESET: 'it cut the connection.',
  EHOSTUNREACH: 'there is no way to its host. Is the VPN up?',
  ENETUNREACH: 'there is no way to its network. Is the VPN up?',
  ENOENT: 'a certificate file that the kubeconfig names is missing.',
};

/** An error of the connection itself. */
export function connectionError(error: unknown, where: string, server: string): CaravanError {
  if (error instanceof CaravanError) return error;
  const { code = '', message = String(error) } = error as Partial<NodeJS.ErrnoException>;
  const certificate = /CERT|SSL|TLS|ALTNAME|SIGNATURE/.test(code);
  const why =
    WHY[code] ?? (certificate ? `its certificate is not accepted: ${message.split('\n')[0]}.` : `${message.split('\n')[0]}.`);
  return new CaravanError('unreachable', `The cluster of ${where} cannot be reached at ${server}: ${why}`, { cause: error });
}

export function noAnswer(where: string, server: string, timeoutMs: number): CaravanError {
  return new CaravanError(
    'unreachable',
    `The cluster of ${where} does not answer (${timeoutMs / 1000} s) at ${server}. Check the network or the VPN, then try again.`,
  );
}
