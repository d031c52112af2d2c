import { VERSION } from '../../runtime/version.ts';
import type { Caravan } from '../caravan.ts';
import { type ClusterRef, siteKey, siteLabel } from '../sites/site-ref.ts';
import { versionWords } from '../views/site-row.ts';
import { confirm, pick, tell, withProgress } from './ask.ts';
import type { Command } from './command.ts';
import { routerSettings } from './create-site.ts';
import { knownContexts } from './known.ts';
import { noSite } from './pick-site.ts';

const TITLE = 'Upgrade Site';
const DETAIL =
  'Its router is replaced: connections through it are cut, and its links are up again within seconds. Its name, its links and certificates, its way in and what you changed stay.';
const NEWER = 'The site is newer than this extension: update that instead, unless you want to go back.';

/** Also for a site that has this version already, by name: it gets what the settings say of routers now. */
export const upgradeSite: Command = async (caravan, row) => {
  const { context, namespace } = row?.target ?? {};
  const sites = await sitesOf(caravan);
  const chosen = context && namespace ? caravan.clusters.ref(context, namespace) : await pickSite(sites);
  const label = siteLabel(chosen);
  const version = sites.find(({ ref }) => siteKey(ref) === siteKey(chosen))?.version ?? 'unknown';
  const isNewer = version.localeCompare(VERSION, 'en', { numeric: true }) > 0 && version !== 'unknown';
  await confirm(
    version === VERSION ? `Apply v${VERSION} to ${label} again?` : `Bring ${label} from v${version} to v${VERSION}?`,
    isNewer ? `${NEWER} ${DETAIL}` : DETAIL,
    TITLE,
  );
  await withProgress(`Caravan: upgrading ${label}`, async (progress, signal) => {
    const kubernetes = await caravan.kubernetes();
    const upgrade = () => kubernetes.upgradeSite({ ...chosen, ...routerSettings() }, progress, { signal });
    await caravan.operations.run(`upgrade site ${label} to v${VERSION}`, upgrade);
    await caravan.clusters.retry(chosen.context);
  });
  tell(`The site ${label} runs v${VERSION}.`);
};

interface VersionedSite {
  ref: ClusterRef;
  version: string;
}

async function sitesOf(caravan: Caravan): Promise<VersionedSite[]> {
  return (await knownContexts(caravan)).flatMap(({ info, found }) =>
    (found?.sites ?? []).map(({ namespace, version }) => ({ ref: caravan.clusters.ref(info.name, namespace), version })),
  );
}

async function pickSite(sites: VersionedSite[]): Promise<ClusterRef> {
  if (sites.length === 0) throw noSite();
  const others = sites.filter(({ version }) => version !== VERSION);
  const choices = [...others, ...sites.filter((site) => !others.includes(site))].map(({ ref, version }) => ({
    label: siteLabel(ref),
    description: versionWords(version, VERSION),
    value: ref,
  }));
  return await pick(TITLE, choices, 'Which site?');
}
