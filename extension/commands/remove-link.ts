import { CaravanError } from '../../runtime/errors.ts';
import type { Caravan } from '../caravan.ts';
import { siteLabel, type SiteRef } from '../sites/site-ref.ts';
import { siteNames } from '../views/networks.ts';
import { confirm, pick, withProgress } from './ask.ts';
import type { Command } from './command.ts';
import { knownSites } from './known.ts';

interface End {
  site: SiteRef;
  link: string;
}

export const removeLink: Command = async (caravan, row) => {
  const { site, resource } = row?.target ?? {};
  const end = site && resource ? ownerOf(caravan, { site, link: resource.name }) : await pickLink(caravan);
  await confirm(
    `Remove the link of ${siteLabel(end.site)}?`,
    'Services that only this link leads to are out of reach afterwards.',
    'Remove Link',
  );
  const what = `remove the link ${end.link} of ${siteLabel(end.site)}`;
  await withProgress(`Caravan: a link of ${siteLabel(end.site)}`, (_, signal) =>
    caravan.operations.run(what, () => caravan.api(end.site).remove({ kind: 'Link', name: end.link }, signal)),
  );
};

/** A link belongs to the site that dials: an incoming one is removed at its other end. */
function ownerOf({ sites }: Caravan, end: End): End {
  const status = sites.view(end.site)?.status;
  const link = status?.links.find(({ id }) => id === end.link);
  if (!status || link?.direction !== 'incoming') return end;
  const dialler = sites.views.find((view) => view.status?.site.id === link.peerId);
  const outgoing = dialler?.status?.links.find(({ direction, peerId }) => direction === 'outgoing' && peerId === status.site.id);
  if (dialler && outgoing) return { site: dialler.ref, link: outgoing.id };
  throw new CaravanError('conflict', `${link.peer ?? 'The other site'} dials this link: remove it there.`);
}

async function pickLink(caravan: Caravan): Promise<End> {
  await knownSites(caravan);
  const { sites } = caravan;
  const nameOf = siteNames(sites.views);
  const choices = sites.views.flatMap(({ ref, status }) =>
    (status?.links ?? [])
      .filter(({ direction }) => direction === 'outgoing')
      .map(({ id, peer, peerId, state }) => ({
        label: `${siteLabel(ref)} to ${nameOf({ id: peerId, name: peer })}`,
        description: state,
        value: { site: ref, link: id },
      })),
  );
  if (choices.length === 0) throw new CaravanError('not-found', 'No links are known: link two sites first.');
  return await pick('Remove Link', choices, 'Which link?');
}
