import * as vscode from 'vscode';
import { CaravanError } from '../../runtime/errors.ts';
import { ExplainDocuments } from '../views/explain-documents.ts';
import { pick } from './ask.ts';
import type { Command } from './command.ts';

export const explain: Command = async (caravan, row) => {
  const address = row?.target?.address ?? (await pickAddress());
  await vscode.commands.executeCommand('markdown.showPreview', ExplainDocuments.uri(address));

  async function pickAddress(): Promise<string> {
    const addresses = new Set(caravan.picture.networks.flatMap(({ services }) => services.map((service) => service.address)));
    if (addresses.size === 0) throw new CaravanError('not-found', 'No service is known yet: expose one on the network.');
    return await pick(
      'Explain Service',
      [...addresses].map((value) => ({ label: value, value })),
      'Which service?',
    );
  }
};
