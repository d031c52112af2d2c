import { CaravanError } from '../../runtime/errors.ts';
import type { Caravan } from '../caravan.ts';
import { pick } from './ask.ts';

/** One of the services that have an address on this computer: that, and how programs are told of it. */
export async function pickLocal({ picture }: Caravan, title: string): Promise<{ local: string; connection: string }> {
  const services = picture.networks.flatMap((network) => network.services);
  const choices = services.flatMap(({ address, type, local, connection = '' }) =>
    local ? [{ label: address, description: `${type} at ${local}`, value: { local, connection } }] : [],
  );
  if (choices.length === 0) throw new CaravanError('not-found', 'No service has a port on this computer: join a network first.');
  return await pick(title, choices, 'Which service?');
}
