import { listenSettled } from '../../runtime/api/listen-settled.ts';
import type { ListenerStatus } from '../../runtime/api/types.ts';
import { CaravanError } from '../../runtime/errors.ts';
import type { Caravan } from '../caravan.ts';
import { ask, pick, portProblem, tell } from './ask.ts';
import type { Command } from './command.ts';
import type { SiteRef } from '../sites/site-ref.ts';

const TITLE = 'Change Local Port';

/** Another port of this computer for a service, from here on. The one before is given up once the new one is open. */
export const changePort: Command = async (caravan, row) => {
  const site = row?.target?.site ?? caravan.laptop.ref;
  if (site.where !== 'local') throw new CaravanError('not-found', 'No site of this computer is in this network: join it first.');
  const { address, type, servicePort, port } = await pickListener(caravan, site, row?.target?.address);
  const wanted = Number(await ask(TITLE, `The port on 127.0.0.1 for ${address} ${servicePort}`, String(port), portProblem));
  if (wanted === port) return;
  const api = caravan.api(site);
  await caravan.operations.run(`move ${address} to port ${wanted}`, async () => {
    const before = (await api.status()).listeners.filter(
      (known) => known.address === address && known.servicePort === servicePort,
    );
    const { made } = await listenSettled(api, { address, port: wanted, type, servicePort });
    // An automatic one makes room by itself; what stands in a file stays.
    const own = before.filter(({ name, source }) => source === 'command' && name !== made.name);
    for (const { name } of own) await api.remove({ kind: 'Listener', name });
  });
  tell(`${address} is at localhost:${wanted} now.`);
};

async function pickListener(caravan: Caravan, site: SiteRef, address: string | undefined): Promise<ListenerStatus> {
  const { listeners } = await caravan.api(site).status();
  // One whose port another program has is moved, too.
  const open = listeners.filter(
    (listener) => listener.state !== 'closed' && (address === undefined || listener.address === address),
  );
  if (open.length === 0)
    throw new CaravanError('not-found', `${address ?? 'No service'} has ${address ? 'no' : 'a'} port on this computer.`);
  if (open.length === 1) return open[0]!;
  const choices = open.map((value) => ({
    label: `${value.address} ${value.servicePort}`,
    description: value.state === 'open' ? `localhost:${value.port}` : (value.message ?? value.state),
    value,
  }));
  return pick(TITLE, choices, 'Which one?');
}
