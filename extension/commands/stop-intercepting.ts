import { CaravanError } from '../../runtime/errors.ts';
import { standsIn } from '../../runtime/words.ts';
import { pick, tell } from './ask.ts';
import type { Command } from './command.ts';

const TITLE = 'Stop Intercepting';

/** Gives a service back to its servers; all that this laptop does to the one of the row. */
export const stopIntercepting: Command = async (caravan, row) => {
  const intercepts = (caravan.sites.laptop?.status?.connectors ?? []).filter((connector) => connector.intercept);
  if (intercepts.length === 0) throw new CaravanError('not-found', 'This laptop intercepts nothing.');
  const own = intercepts.filter(({ address }) => address === row?.target?.address);
  const choices = intercepts.map((value) => ({
    label: value.address,
    description: standsIn('this laptop', value.intercept!),
    value: [value],
  }));
  const chosen = own.length > 0 ? own : await pick(TITLE, choices, 'Which service?');
  const api = caravan.api(caravan.laptop.ref);
  for (const { name, address } of chosen) {
    await caravan.operations.run(`stop intercepting ${address}`, () => api.remove({ kind: 'Connector', name }));
    tell(`${address} is its own servers' again.`);
  }
};
