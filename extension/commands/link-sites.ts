import { CaravanError } from '../../runtime/errors.ts';
import type { WayIn } from '../../runtime/kubernetes/types.ts';
import type { Caravan } from '../caravan.ts';
import { type LinkEnd, type LinkPlan, planLink } from '../sites/link-plan.ts';
import { linkSites as link, waitForAccess } from '../sites/link-sites.ts';
import { type ClusterRef, isLaptop, siteLabel, type SiteRef } from '../sites/site-ref.ts';
import { WAYS_IN } from '../sites/ways-in.ts';
import { type Choice, confirm, pick, tell, withProgress } from './ask.ts';
import type { Command } from './command.ts';
import { applySite, askIngress } from './create-site.ts';
import { pickEnd } from './pick-site.ts';

const TITLE = 'Link Two Sites';

export const linkSites: Command = async (caravan, row) => {
  const first = row?.target?.site ?? (await pickEnd(caravan, TITLE, 'The first site'));
  const second = await pickEnd(caravan, TITLE, `Link ${siteLabel(first)} to which site?`, first);
  await linkEnds(caravan, first, second);
};

/** A drop may be a slip of the hand: unlike two picks, it asks before it links. */
export async function linkByDrag(caravan: Caravan, first: SiteRef, second: SiteRef): Promise<void> {
  await linkEnds(caravan, first, second, (sentence) =>
    confirm(`Link ${siteLabel(first)} and ${siteLabel(second)}?`, sentence, 'Link'),
  );
}

/** Links two sites, whoever has to dial; asks for a way in where there is none. */
export async function linkEnds(
  caravan: Caravan,
  first: SiteRef,
  second: SiteRef,
  agree?: (sentence: string) => Promise<void>,
): Promise<void> {
  const plan = await planBetween(caravan, first, second);
  if (plan.outcome === 'nothing') return tell(plan.sentence);
  if (plan.outcome === 'link') await agree?.(plan.sentence);
  if (plan.outcome === 'link') return await carryOut(caravan, plan);
  const way = await pickWay(plan);
  if (way === 'laptop') {
    for (const end of plan.ends) await linkEnds(caravan, caravan.laptop.ref, end);
    return;
  }
  const name = caravan.clusters.contexts
    .find(({ info }) => info.name === way.end.context)
    ?.found?.sites.find(({ namespace }) => namespace === way.end.namespace)?.name;
  await applySite(caravan, {
    context: way.end.context,
    namespace: way.end.namespace,
    wayIn: way.wayIn,
    ...(way.wayIn === 'Ingress' && { ingress: await askIngress(TITLE) }),
    ...(name ? { name } : {}),
  });
  const label = siteLabel(way.end);
  await withProgress(`Caravan: waiting for the address of ${label}`, (_, signal) =>
    waitForAccess(caravan.api(way.end), label, signal),
  );
  const again = await planBetween(caravan, first, second);
  if (again.outcome !== 'link') throw new CaravanError('no-way-in', again.sentence);
  await carryOut(caravan, again);
}

/** Says what is about to happen, does it, and ends when the link carries traffic. */
export async function carryOut(caravan: Caravan, plan: LinkPlan & { outcome: 'link' }): Promise<void> {
  const [from, to] = [siteLabel(plan.redeemer.ref), siteLabel(plan.issuer.ref)];
  await withProgress(`Caravan: ${plan.sentence.replace(/\.$/, '')}`, (progress, signal) =>
    caravan.operations.run(`link ${from} to ${to}`, () => link(plan, (ref) => caravan.api(ref), { signal, progress })),
  );
  tell(isLaptop(plan.redeemer.ref) ? `This laptop has joined ${to}.` : `${from} and ${to} are linked.`);
}

export async function planBetween(caravan: Caravan, first: SiteRef, second: SiteRef): Promise<LinkPlan> {
  return await withProgress(`Caravan: asking ${siteLabel(first)} and ${siteLabel(second)}`, async (progress, signal) => {
    if ([first, second].some(isLaptop)) {
      progress("starting this laptop's router");
      await caravan.operations.run("start this laptop's router", () => caravan.laptop.ensure(signal));
      await caravan.local.look();
    }
    const [a, b] = await Promise.all([first, second].map((ref) => endOf(caravan, ref, signal)));
    return planLink(a!, b!);
  });
}

async function endOf(caravan: Caravan, ref: SiteRef, signal: AbortSignal): Promise<LinkEnd> {
  const { site, access, links } = await caravan.operations.run(`ask ${siteLabel(ref)} for its status`, () =>
    caravan.api(ref).status(signal),
  );
  return { ref: caravan.complete(ref), id: site.id, access, links };
}

type Way = 'laptop' | { end: ClusterRef; wayIn: WayIn };

async function pickWay({ ends }: LinkPlan & { outcome: 'no-way-in' }): Promise<Way> {
  const choices: Choice<Way>[] = ends.flatMap((end) =>
    WAYS_IN.filter(({ way }) => way !== 'none').map(({ way, label, detail }) => ({
      label: `${label} for ${siteLabel(end)}`,
      detail,
      value: { end, wayIn: way },
    })),
  );
  if (ends.length === 2)
    choices.push({
      label: 'Through this laptop',
      detail: 'Needs no way in, and works while this laptop is joined.',
      value: 'laptop',
    });
  return await pick(TITLE, choices, 'Neither site can be reached by the other: what is the way in?');
}
