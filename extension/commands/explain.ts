import * as vscode from 'vscode';
import { CaravanError } from '../../runtime/errors.ts';
import { ExplainDocuments } from '../views/explain-documents.ts';
import type { Caravan } from '../caravan.ts';
import { siteKey, siteLabel, type SiteRef } from '../sites/site-ref.ts';
import type { Network } from '../views/networks.ts';
import { pick } from './ask.ts';
import type { Command } from './command.ts';
import { knownSites } from './known.ts';

export const explain: Command = async (caravan, row) => {
  const { address, site } = row?.target ?? {};
  const asked =
    address === undefined ? await pickService(caravan, site) : { address, site: site ?? (await knowing(caravan, address)) };
  await vscode.commands.executeCommand('markdown.showPreview', ExplainDocuments.uri(asked.address, asked.site));
};

/** A manifest knows of no site. */
async function knowing(caravan: Caravan, address: string): Promise<SiteRef> {
  await knownSites(caravan);
  return caravan.siteKnowing(address);
}

/** One of the services of all networks, of which two may have the same address; of a site's network, where one is asked about. */
async function pickService(caravan: Caravan, from?: SiteRef): Promise<{ address: string; site: SiteRef }> {
  await knownSites(caravan);
  const isOf = ({ views }: Network) => !from || views.some(({ ref }) => siteKey(ref) === siteKey(from));
  const networks = caravan.picture.networks.filter(isOf);
  const choices = networks.flatMap(({ name, services, views }) =>
    services.map(({ address }) => ({
      label: address,
      description: networks.length > 1 ? name : '',
      value: { address, site: from ?? views[0]!.ref },
    })),
  );
  if (choices.length === 0) throw new CaravanError('not-found', 'No service is known yet: expose one on the network.');
  return await pick('Explain Service', choices, from ? `Which service, seen from ${siteLabel(from)}?` : 'Which service?');
}
