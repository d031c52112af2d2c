import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import * as v from 'valibot';
import { host as hostField, pem, port as portField, siteName as siteNameField } from '../api/fields.ts';
import { CaravanError, sentence } from '../errors.ts';
import { commonName, issueCertificate, readSigningRequest } from '../identity/certificates.ts';
import type { Grants } from '../identity/grants.ts';
import type { Identity } from '../identity/identity.ts';
import type { IssuedCertificates } from '../identity/issued.ts';
import { claimAddress, NO_WAY_IN_HOST, type Token } from '../identity/token.ts';
import { dialTls } from '../link/dial.ts';
import { type Endpoint, endpointName, tunnelEndpoint } from '../link/endpoint.ts';
import { UpgradeRefused } from '../link/websocket/upgrade.ts';
import type { Log } from '../log.ts';
import { type Answer, parseJson, post, readBody, refusal } from './exchange.ts';
import { tunnelOf } from './tunnel-settings.ts';

export const CLAIMS_PATH = '/claims/';
/** Of a whole claim, from the dial to the last byte of the answer. */
const CLAIM_WITHIN_MS = 15_000;
/** How long a site that refuses connections is asked again. Milliseconds. */
const REFUSED_WITHIN_MS = 3000;
/** How long a proxy that does not lead to the site yet is. Milliseconds. */
const TUNNEL_WITHIN_MS = 5000;
const REFUSED_PAUSE_MS = 200;
const MAX_ENDPOINTS = 100;

const Claim = v.object({
  code: v.pipe(v.string(), v.maxLength(200)),
  request: v.string(),
  site: siteNameField,
});
const Admission = v.object({
  certificate: pem,
  site: siteNameField,
  endpoints: v.pipe(v.array(v.object({ host: hostField, port: portField })), v.maxLength(MAX_ENDPOINTS)),
});
/** What a site that was let in gets: its certificate, and where to link to. */
export type Admission = v.InferOutput<typeof Admission>;

export interface ClaimsOptions {
  identity: Identity;
  issued: IssuedCertificates;
  grants: Grants;
  siteName: string;
  endpoints: () => { host: string; port: number }[];
  /** Milliseconds since 1970. */
  now: () => number;
  log: Log;
}

/** Lets in who redeems a token: `POST /claims/NAME` with the code and a signing request. */
export async function answerClaim(request: IncomingMessage, options: ClaimsOptions): Promise<Admission> {
  const read = v.safeParse(Claim, JSON.parse(await readBody(request)));
  if (!read.success) throw new CaravanError('bad-request', 'The claim is not complete.');
  const { code, request: csr, site } = read.output;
  const name = request.url!.slice(CLAIMS_PATH.length);
  const admission = await options.grants.redeem(name, code, () => admit(csr, site, options));
  options.log.info('let in a site', { site });
  return admission;
}

async function admit(csr: string, siteName: string, options: ClaimsOptions): Promise<Admission> {
  const { identity, issued, siteName: own, endpoints, now } = options;
  const request = readSigningRequest(csr);
  if (request.siteId === identity.siteId)
    throw new CaravanError('bad-request', 'the token was issued by this very site; redeem it at another one.');
  if (issued.isRevoked(request.siteId)) throw new CaravanError('revoked', REVOKED);
  const { certificate, serial, expires } = issueCertificate(identity.authority, request, now());
  await issued.add({
    serial,
    siteId: request.siteId,
    siteName,
    issued: new Date(now()).toISOString(),
    expires: expires.toISOString(),
  });
  return { certificate, site: own, endpoints: endpoints() };
}

const REVOKED =
  'this site was revoked there, for good. To link again it needs a new identity: start it with another --data, or on Kubernetes delete the site and create it again.';

export interface ClaimWays {
  /** Leads to the site where the token's own URL does not. */
  transport?: Duplex | undefined;
  /** All ways together. Default 15 s. */
  withinMs?: number;
}

/** Redeems a token at the site that issued it. */
export async function claimWithToken(
  token: Token,
  csr: string,
  siteName: string,
  { transport, withinMs = CLAIM_WITHIN_MS }: ClaimWays = {},
): Promise<Admission> {
  const { path, ...endpoint } = claimAddress(token);
  const ways = transport ? [endpoint] : waysTo(token);
  const limitMs = withinMs / ways.length;
  const common = { credentials: { authority: token.ca }, siteId: commonName(token.ca), ...(transport && { transport }) };
  let lost: CaravanError | undefined;
  for (const way of ways) {
    const signal = AbortSignal.timeout(limitMs);
    let answer: Answer;
    try {
      const socket = await dialPatiently({ ...way, ...common, signal });
      answer = await post(socket, path, { code: token.code, request: csr, site: siteName }, signal);
    } catch (error) {
      transport?.destroy();
      const why = signal.aborted ? `it does not answer (${limitMs / 1000} s)` : sentence(error);
      const where = transport ? 'The site' : `The site at ${endpointName(way)}`;
      lost = new CaravanError('unreachable', `${where} cannot be reached: ${why}.`, { cause: error });
      continue;
    }
    return admissionIn(answer);
  }
  throw lost!;
}

/** Where the site that issued a token is reached. */
function waysTo(token: Token): Endpoint[] {
  const { host, port } = claimAddress(token);
  const tunnel = tunnelOf(token.settings ?? {});
  if (typeof tunnel === 'string') throw new CaravanError('token-invalid', `the token cannot be used: ${tunnel}`);
  const ways = [...(host === NO_WAY_IN_HOST ? [] : [{ host, port }]), ...(tunnel ? [tunnelEndpoint(tunnel)] : [])];
  if (ways.length > 0) return ways;
  throw new CaravanError(
    'no-way-in',
    'the site that issued the token has no way in; give it one, or join through its Kubernetes context.',
  );
}

function admissionIn(answer: Answer): Admission {
  if (answer.status !== 200) throw refusal(answer, 'The site refuses the token and does not say why.');
  const admission = v.safeParse(Admission, parseJson(answer.body));
  if (!admission.success)
    throw new CaravanError('bad-request', 'The site answers with something that is no admission; is its version newer?');
  return admission.output;
}

/**
 * The address of a load balancer is known a moment before anything listens there, and an Ingress a moment before it leads anywhere: what is
 * refused is tried again for a while.
 */
async function dialPatiently(options: Parameters<typeof dialTls>[0]): Promise<Duplex> {
  const deadline = performance.now() + (options.tunnel ? TUNNEL_WITHIN_MS : REFUSED_WITHIN_MS);
  for (;;)
    try {
      return await dialTls(options);
    } catch (error) {
      const { code, cause } = error as NodeJS.ErrnoException;
      const isRefused = code === 'ECONNREFUSED' || cause instanceof UpgradeRefused;
      if (!isRefused || options.transport || performance.now() > deadline) throw error;
      await setTimeout(REFUSED_PAUSE_MS, undefined, { signal: options.signal });
    }
}
