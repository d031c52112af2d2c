/** A site that was let in gets a new certificate before the one that it has ends: `POST /renewals`, with the one that it has. */
import type { IncomingMessage } from 'node:http';
import * as v from 'valibot';
import { pem } from '../api/fields.ts';
import { CaravanError } from '../errors.ts';
import { issueCertificate, readSigningRequest } from '../identity/certificates.ts';
import type { Holder } from '../link/access-server.ts';
import { dialProblem } from '../link/dial-problem.ts';
import { dialTls } from '../link/dial.ts';
import type { LinkConfig } from '../router/config.ts';
import { takeWay, waysOf } from '../router/link-ways.ts';
import type { PortForwardDial } from '../router/outgoing-link.ts';
import type { ClaimsOptions } from './claims.ts';
import { type Answer, parseJson, post, readBody, refusal } from './exchange.ts';

export const RENEWALS_PATH = '/renewals';
/** From the dial to the last byte of the answer, by one way; a port-forward's API server may first ask a program for credentials. Milliseconds. */
const RENEW_WITHIN_MS = 30_000;

const Wish = v.object({ request: v.string() });
const Renewed = v.object({ certificate: pem });

export type RenewalsOptions = Pick<ClaimsOptions, 'identity' | 'issued' | 'now' | 'log'>;

/** Signs for the holder of a certificate, and for nobody else. */
export async function answerRenewal(
  message: IncomingMessage,
  from: Holder | undefined,
  { identity, issued, now, log }: RenewalsOptions,
): Promise<v.InferOutput<typeof Renewed>> {
  const read = v.safeParse(Wish, JSON.parse(await readBody(message)));
  if (!read.success) throw new CaravanError('bad-request', 'The renewal is not complete.');
  const request = readSigningRequest(read.output.request);
  // Not before all has arrived: it may have been revoked meanwhile.
  const before = from && issued.admitted(from.serial, from.siteId);
  if (!before) throw new CaravanError('revoked', 'the certificate of this site was not issued there, or was revoked.');
  const { siteId, siteName } = before;
  if (request.siteId !== siteId) throw new CaravanError('bad-request', 'the certificate of this site is for another one.');
  const { certificate, serial, expires } = issueCertificate(identity.authority, request, now());
  const times = { issued: new Date(now()).toISOString(), since: before.since ?? before.issued, expires: expires.toISOString() };
  await issued.add({ serial, siteId, siteName, ...times });
  log.info('renewed the certificate of a site', { site: siteName });
  return { certificate };
}

export interface RenewalWays {
  portForward: PortForwardDial | undefined;
  signal: AbortSignal;
}

/** Has the site at the other end of a link sign a request, by the first of the link's ways that leads there. Resolves to PEM. */
export async function renewAt(link: LinkConfig, request: string, ways: RenewalWays): Promise<string> {
  const answer = await postTo(link, { request }, ways);
  if (answer.status === 404) throw new Error('that site has a version that renews no certificates; update it');
  if (answer.status !== 200) throw refusal(answer, 'that site refuses, and does not say why');
  const renewed = v.safeParse(Renewed, parseJson(answer.body));
  if (!renewed.success) throw new Error('that site answers with something that is no certificate');
  return renewed.output.certificate;
}

async function postTo({ credentials, siteId, ...link }: LinkConfig, content: object, ways: RenewalWays): Promise<Answer> {
  let lost: unknown;
  for (const way of waysOf(link)) {
    const late = AbortSignal.timeout(RENEW_WITHIN_MS);
    const signal = AbortSignal.any([ways.signal, late]);
    try {
      const route = await takeWay(way, ways.portForward, signal);
      return await post(await dialTls({ ...route, credentials, siteId, signal }), RENEWALS_PATH, content, signal);
    } catch (error) {
      ways.signal.throwIfAborted();
      lost = late.aborted ? new Error(`it does not answer (${RENEW_WITHIN_MS / 1000} s)`) : error;
    }
  }
  throw new Error(`that site cannot be reached: ${dialProblem(lost)}`, { cause: lost });
}
