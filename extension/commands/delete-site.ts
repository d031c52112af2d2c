import type { Command } from './command.ts';
import { confirm, tell, withProgress } from './ask.ts';
import { pickClusterSite } from './pick-site.ts';
import { siteLabel } from '../sites/site-ref.ts';

export const deleteSite: Command = async (caravan, row) => {
  const { context, namespace } = row?.target ?? {};
  const ref = context && namespace ? caravan.clusters.ref(context, namespace) : await pickClusterSite(caravan, 'Delete Site');
  const label = siteLabel(ref);
  const offered = caravan.sites.view(ref)?.status?.connectors.map(({ address }) => address) ?? [];
  const lost = offered.length > 0 ? ` Others lose what it offers: ${[...new Set(offered)].join(', ')}.` : '';
  const detail = `Its router, links, certificates and proxy Services go from the namespace ${ref.namespace}.${lost} Your own objects stay.`;
  await confirm(`Delete the site ${label}?`, detail, 'Delete Site');
  const stays = await withProgress(`Caravan: deleting ${label}`, async (progress, signal) => {
    const kubernetes = await caravan.kubernetes();
    const why = await caravan.operations.run(`delete site ${label}`, () => kubernetes.deleteSite(ref, progress, { signal }));
    await caravan.clusters.retry(ref.context);
    return why;
  });
  tell(stays ? `The site ${label} is gone. ${stays}` : `The site ${label} is gone.`);
};
