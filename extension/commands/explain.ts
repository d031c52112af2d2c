import * as vscode from 'vscode';
import { CaravanError } from '../../runtime/errors.ts';
import { ExplainDocuments } from '../views/explain-documents.ts';
import type { Caravan } from '../caravan.ts';
import type { SiteRef } from '../sites/site-ref.ts';
import { pick } from './ask.ts';
import type { Command } from './command.ts';
import { knownSites } from './known.ts';

export const explain: Command = async (caravan, row) => {
  const { address, site } = row?.target?.address ? row.target : await pickService(caravan);
  await vscode.commands.executeCommand('markdown.showPreview', ExplainDocuments.uri(address!, site));
};

/** One of the services of all networks: two networks may have a service of the same address. */
async function pickService(caravan: Caravan): Promise<{ address: string; site: SiteRef }> {
  await knownSites(caravan);
  const { networks } = caravan.picture;
  const choices = networks.flatMap(({ name, services, views }) =>
    services.map(({ address }) => ({
      label: address,
      description: networks.length > 1 ? name : '',
      value: { address, site: views[0]!.ref },
    })),
  );
  if (choices.length === 0) throw new CaravanError('not-found', 'No service is known yet: expose one on the network.');
  return await pick('Explain Service', choices, 'Which service?');
}
