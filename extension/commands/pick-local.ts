import { CaravanError } from '../../runtime/errors.ts';
import type { Caravan } from '../caravan.ts';
import { pick } from './ask.ts';

/** The address on this computer of one of the services that have one. */
export async function pickLocal({ picture }: Caravan, title: string): Promise<string> {
  const services = picture.networks.flatMap((network) => network.services);
  const choices = services.flatMap(({ address, type, local }) =>
    local ? [{ label: address, description: `${type} at ${local}`, value: local }] : [],
  );
  if (choices.length === 0) throw new CaravanError('not-found', 'No service has a port on this computer: join a network first.');
  return await pick(title, choices, 'Which service?');
}
