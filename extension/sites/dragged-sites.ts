/** Which sites a drag in *Sites* is about. Pure. */
import type { Row } from '../views/row.ts';
import { siteKey, type SiteRef } from './site-ref.ts';

/** As the menus: a demo network's sites keep to themselves. */
const CAN_LINK = /^site\.(cluster|laptop|host)\b/;

/** The site that is dragged; several at once have no meaning. */
export function draggedSite(rows: readonly Row[]): SiteRef | undefined {
  const [row, ...others] = rows;
  return row && others.length === 0 && CAN_LINK.test(row.flags) ? row.target?.site : undefined;
}

/** The two ends that a drop means. `dragged` is what the drag brought: where it was no site, VS Code's own account of the rows. */
export function droppedEnds(dragged: unknown, row: Row | undefined): [SiteRef, SiteRef] | undefined {
  const site = row && CAN_LINK.test(row.flags) ? row.target?.site : undefined;
  return site && isSite(dragged) && siteKey(site) !== siteKey(dragged) ? [dragged, site] : undefined;
}

function isSite(value: unknown): value is SiteRef {
  return typeof value === 'object' && value !== null && 'where' in value;
}
