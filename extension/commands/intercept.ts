import type { Intercept, ServiceStatus } from '../../runtime/api/types.ts';
import { readField } from '../../runtime/api/header-field.ts';
import { userName } from '../../runtime/api/user-name.ts';
import { headerOfUser, INTERCEPTS, whyNotIntercepted } from '../../runtime/api/vocabulary.ts';
import { CaravanError } from '../../runtime/errors.ts';
import { standsIn } from '../../runtime/words.ts';
import type { Caravan } from '../caravan.ts';
import { ask, pick, tell } from './ask.ts';
import type { Command } from './command.ts';
import { pickPort } from './pick-port.ts';

const TITLE = 'Intercept a Service with This Laptop';

const LABELS: Record<Intercept, { label: string; description: string }> = {
  'take-some': { label: 'Take Some', description: 'only requests with a field that says they are yours' },
  'take-over': { label: 'Take Over', description: 'everything, for as long as this laptop is joined' },
  'listen-in': { label: 'Listen In', description: 'a copy of each request; what your program answers is dropped' },
};

/** A program of this laptop stands in for the servers of a service. */
export const intercept: Command = async (caravan, row) => {
  const service = await pickService(caravan, row?.target?.address);
  const { address, type, ports } = service;
  const possible = INTERCEPTS.filter((each) => whyNotIntercepted(type, each) === undefined);
  if (possible.length === 0) throw new CaravanError('bad-request', `${address}: ${whyNotIntercepted(type, 'take-over')}.`);
  // What disturbs the others least comes first.
  const ways = (Object.keys(LABELS) as Intercept[]).filter((each) => possible.includes(each));
  const how = await pick(TITLE, ways.map((value) => ({ ...LABELS[value], value })), `How should this laptop get what is for ${address}?`); // prettier-ignore
  const header =
    how === 'take-some' ? await ask(TITLE, 'Requests with this field', headerOfUser(userName()), headerProblem) : undefined;
  const servicePort =
    ports.length > 1
      ? await pick(TITLE, ports.map((value) => ({ label: String(value), value })), `Which port of ${address}?`) // prettier-ignore
      : undefined;
  const { host, port } = await pickPort(caravan, TITLE);
  const request = {
    address,
    port,
    host,
    how,
    ...(header !== undefined && { header }),
    ...(servicePort !== undefined && { servicePort }),
  };
  await caravan.operations.run(`intercept ${address} with port ${port} of this laptop`, () =>
    caravan.api(caravan.laptop.ref).intercept(request),
  );
  tell(`${standsIn('This laptop', { how, ...(header !== undefined && { header }) })}: ${address} is at port ${port}.`);
};

/** A service that other sites offer; the one of the row where there is one. */
async function pickService({ sites, laptop }: Caravan, address: string | undefined): Promise<ServiceStatus> {
  if (!(await laptop.isRunning()))
    throw new CaravanError('not-running', 'This laptop is in no network yet: use "Join with This Laptop" first.');
  const { site, services = [] } = sites.laptop?.status ?? {};
  const others = services.filter(
    ({ destinations, pending }) => pending !== undefined || destinations.some(({ siteId }) => siteId !== site?.id),
  );
  const known = others.find((service) => service.address === address);
  if (known) return known;
  if (address !== undefined) throw new CaravanError('not-found', `No other site of this laptop's network offers ${address}.`);
  if (others.length === 0) throw new CaravanError('not-found', 'No other site of this laptop’s network offers a service.');
  const choices = others.map((value) => ({ label: value.address, description: value.type, value }));
  return pick(TITLE, choices, 'Which service?');
}

function headerProblem(text: string): string | undefined {
  return readField(text) ? undefined : 'A field and its value, such as "baggage: caravan=ada".';
}
