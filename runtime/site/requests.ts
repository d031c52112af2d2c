import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiErrorBody } from '../api/types.ts';
import { CaravanError, type ErrorCode, sentence } from '../errors.ts';
import type { Holder } from '../link/access-server.ts';
import { answerClaim, CLAIMS_PATH, type ClaimsOptions } from './claims.ts';
import { answerRenewal, RENEWALS_PATH } from './renewals.ts';

const STATUS: Partial<Record<ErrorCode, number>> = { 'token-unknown': 404, 'not-found': 404, revoked: 403, 'not-saved': 500 };

/** Answers what comes in beside links: claims, and renewals. `from`: whose certificate was shown. */
export async function answerRequest(
  request: IncomingMessage,
  response: ServerResponse,
  from: Holder | undefined,
  options: ClaimsOptions,
): Promise<void> {
  const answer = (status: number, body: object) => {
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify(body));
  };
  try {
    return answer(200, await answerOf(request, from, options));
  } catch (error) {
    if (!(error instanceof CaravanError)) options.log.warn('a request failed', { error: sentence(error) });
    const known = error instanceof CaravanError ? error : new CaravanError('bad-request', 'The request cannot be read.');
    const body: ApiErrorBody = { code: known.code, message: known.message };
    return answer(STATUS[known.code] ?? 400, body);
  }
}

function answerOf(request: IncomingMessage, from: Holder | undefined, options: ClaimsOptions): Promise<object> {
  const { method, url = '' } = request;
  if (method === 'POST' && url.startsWith(CLAIMS_PATH)) return answerClaim(request, options);
  if (method === 'POST' && url === RENEWALS_PATH) return answerRenewal(request, from, options);
  throw new CaravanError('not-found', 'Links and claims come in here, nothing else.');
}
