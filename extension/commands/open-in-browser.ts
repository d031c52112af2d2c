import * as vscode from 'vscode';
import type { Command } from './command.ts';
import { CaravanError } from '../../runtime/errors.ts';
import type { Caravan } from '../caravan.ts';
import { pick } from './ask.ts';

/** `openExternal` forwards the port where the editor runs on another machine than the browser. */
export const openInBrowser: Command = async (caravan, row) => {
  const url = row?.target?.url ?? (await pickUrl(caravan));
  await vscode.env.openExternal(vscode.Uri.parse(url, true));
};

async function pickUrl({ picture }: Caravan): Promise<string> {
  const services = picture.networks.flatMap((network) => network.services);
  const choices = services.flatMap(({ address, url }) => (url ? [{ label: address, description: url, value: url }] : []));
  if (choices.length === 0)
    throw new CaravanError('not-found', 'No service that a browser shows has a port on this computer: join a network first.');
  return await pick('Open Service in Browser', choices, 'Which service?');
}
