import { StreamError } from '../../link/reason.ts';
import { printable } from '../../words.ts';

/** Why a server did not answer, as one sentence for people; `site` is where it is. */
export function noAnswer(site: string, cause: Error): string {
  const reason = printable(cause.message);
  const isLink = cause instanceof StreamError && cause.code === 'link-lost' && !reason.includes('link');
  return `${site} did not answer: ${isLink ? 'the link was lost: ' : ''}${reason}`;
}
