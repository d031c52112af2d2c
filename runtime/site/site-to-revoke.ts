import { CaravanError } from '../errors.ts';
import type { SiteLetIn } from '../identity/issued.ts';
import { ago } from '../words.ts';

/**
 * The id of the one site that is meant by `asked`, a name or an id, of those that were let in by it. Throws `not-found` where there is none, and
 * `conflict` where there are several: a site is revoked for good. Those that are revoked already are meant only where there is no other.
 */
export function siteToRevoke(
  asked: string,
  known: readonly SiteLetIn[],
  isLinked: (siteId: string) => boolean,
  now: Date,
): string {
  const valid = known.filter(({ isRevoked }) => !isRevoked);
  const [site, ...others] = valid.length > 0 ? valid : known;
  if (!site) throw new CaravanError('not-found', `${asked} is not let in here, by that name or id; see: caravan links`);
  if (others.length === 0 || site.isRevoked) return site.siteId;
  const list = valid.map(({ siteId, since, seen }) => {
    const came = isLinked(siteId) ? 'linked now' : seen === undefined ? 'never linked' : `last linked ${ago(seen, now)}`;
    return `${siteId} (let in ${ago(since, now)}, ${came})`;
  });
  throw new CaravanError(
    'conflict',
    `${valid.length} sites are called ${asked}: ${list.join(', ')}. Nothing was revoked; name one by its id: caravan revoke ID`,
  );
}
