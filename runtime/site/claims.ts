import { type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http';
import * as v from 'valibot';
import type { ApiErrorBody } from '../api/types.ts';
import { CaravanError, type ErrorCode, sentence } from '../errors.ts';
import { commonName, issueCertificate, readSigningRequest } from '../identity/certificates.ts';
import type { Grants } from '../identity/grants.ts';
import type { Identity } from '../identity/identity.ts';
import type { IssuedCertificates } from '../identity/issued.ts';
import { NO_WAY_IN_HOST, type Token } from '../identity/token.ts';
import { dialTls } from '../link/dial.ts';
import type { Log } from '../log.ts';
import type { Duplex } from 'node:stream';

export const CLAIMS_PATH = '/claims/';
/** Of a claim and of its answer. */
const MAX_BODY_BYTES = 64 * 1024;
const CLAIM_WITHIN_MS = 15_000;

const Claim = v.object({
  code: v.pipe(v.string(), v.maxLength(200)),
  request: v.string(),
  site: v.pipe(v.string(), v.minLength(1), v.maxLength(253)),
});
const Admission = v.object({
  certificate: v.string(),
  site: v.pipe(v.string(), v.minLength(1), v.maxLength(253)),
  endpoints: v.array(v.object({ host: v.string(), port: v.number() })),
});
/** What a site that was let in gets: its certificate, and where to link to. */
export type Admission = v.InferOutput<typeof Admission>;

export interface ClaimsOptions {
  identity: Identity;
  issued: IssuedCertificates;
  grants: Grants;
  siteName: string;
  endpoints: () => { host: string; port: number }[];
  log: Log;
}

/** Answers who redeems a token: `POST /claims/NAME` with the code and a signing request. */
export async function answerClaim(request: IncomingMessage, response: ServerResponse, options: ClaimsOptions): Promise<void> {
  const answer = (status: number, body: object) => {
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify(body));
  };
  try {
    if (request.method !== 'POST' || !request.url?.startsWith(CLAIMS_PATH)) {
      const body: ApiErrorBody = { code: 'not-found', message: 'Links and claims come in here, nothing else.' };
      return answer(404, body);
    }
    const read = v.safeParse(Claim, JSON.parse(await readBody(request)));
    if (!read.success) throw new CaravanError('bad-request', 'The claim is not complete.');
    const { code, request: csr, site } = read.output;
    const admission = await options.grants.redeem(request.url.slice(CLAIMS_PATH.length), code, () => admit(csr, site, options));
    options.log.info(`let in site ${site}`);
    return answer(200, admission);
  } catch (error) {
    if (!(error instanceof CaravanError)) options.log.warn('a claim failed', { error: sentence(error) });
    const known = error instanceof CaravanError ? error : new CaravanError('bad-request', 'The claim cannot be read.');
    const body: ApiErrorBody = { code: known.code, message: known.message };
    return answer(known.code === 'token-unknown' ? 404 : 400, body);
  }
}

async function admit(
  csr: string,
  siteName: string,
  { identity, issued, siteName: own, endpoints }: ClaimsOptions,
): Promise<Admission> {
  const request = readSigningRequest(csr);
  if (request.siteId === identity.siteId)
    throw new CaravanError('bad-request', 'the token was issued by this very site; redeem it at another one');
  const { certificate, serial, expires } = issueCertificate(identity.authority, request);
  await issued.add({
    serial,
    siteId: request.siteId,
    siteName,
    issued: new Date().toISOString(),
    expires: expires.toISOString(),
  });
  return { certificate, site: own, endpoints: endpoints() };
}

/** Redeems a token at the site that issued it. `transport` leads there where the token's own URL does not. */
export async function claimWithToken(token: Token, csr: string, siteName: string, transport?: Duplex): Promise<Admission> {
  const { hostname, port: portText, pathname } = new URL(token.url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const port = Number(portText || 443);
  if (host === NO_WAY_IN_HOST && !transport)
    throw new CaravanError(
      'no-way-in',
      'the site that issued the token has no way in; give it one, or join through its Kubernetes context',
    );
  const signal = AbortSignal.timeout(CLAIM_WITHIN_MS);
  const siteId = commonName(token.ca);
  let answer: { status: number; body: string };
  try {
    const socket = await dialTls({
      host,
      port,
      credentials: { authority: token.ca },
      siteId,
      signal,
      ...(transport && { transport }),
    });
    answer = await post(socket, pathname, JSON.stringify({ code: token.code, request: csr, site: siteName }));
  } catch (error) {
    const why = signal.aborted ? `it does not answer (${CLAIM_WITHIN_MS / 1000} s)` : sentence(error);
    throw new CaravanError(
      'unreachable',
      `${transport ? 'The site' : `The site at ${host}:${port}`} cannot be reached: ${why}.`,
      { cause: error },
    );
  }
  if (answer.status !== 200) throw refusal(answer.body);
  const admission = v.safeParse(Admission, JSON.parse(answer.body));
  if (!admission.success)
    throw new CaravanError('bad-request', 'The site answers with something that is no admission; is its version newer?');
  return admission.output;
}

function refusal(body: string): CaravanError {
  try {
    const { code, message } = JSON.parse(body) as ApiErrorBody;
    return new CaravanError(code as ErrorCode, message.slice(0, 500));
  } catch {
    return new CaravanError('bad-request', 'The site refuses the token and does not say why.');
  }
}

function post(socket: Duplex, path: string, body: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), connection: 'close' };
    const request = httpRequest(
      { createConnection: () => socket, method: 'POST', path, headers, setDefaultHeaders: true },
      (response) => {
        readBody(response).then((text) => resolve({ status: response.statusCode ?? 0, body: text }), reject);
      },
    );
    request.once('error', reject);
    request.end(body);
  });
}

async function readBody(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new CaravanError('bad-request', `The message is larger than ${MAX_BODY_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
