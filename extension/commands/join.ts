import type { Command } from './command.ts';
import { tell } from './ask.ts';
import { carryOut, planBetween } from './link-sites.ts';
import { pickClusterSite } from './pick-site.ts';

export const join: Command = async (caravan, row) => {
  const { context, namespace } = row?.target ?? {};
  const site =
    context && namespace ? caravan.clusters.ref(context, namespace) : await pickClusterSite(caravan, 'Join with This Laptop');
  const plan = await planBetween(caravan, caravan.laptop.ref, site);
  if (plan.outcome === 'link') return await carryOut(caravan, plan);
  tell(plan.sentence);
};
