import type { InterceptRequest, InterceptStatus, ServiceStatus } from '../api/types.ts';
import { userName } from '../api/user-name.ts';
import { headerOfUser, whyNotIntercepted } from '../api/vocabulary.ts';
import { CaravanError } from '../errors.ts';
import { headerText } from '../routing/request-rule.ts';
import { readField } from '../api/header-field.ts';
import { resourceName } from './resource-name.ts';

/** The Connector that stands in for a service's servers. */
export interface InterceptConnector {
  name: string;
  spec: object;
  /** Which requests it takes. */
  header: string | undefined;
}

/**
 * What stands in for a service of the network at the site `self`. One for each port of a service: another replaces it. Throws `not-found` where
 * nobody else offers the service, `bad-request` where it cannot be had so, and `conflict` where another site has that already.
 */
export function interceptConnector(
  request: InterceptRequest,
  services: readonly ServiceStatus[],
  self: { siteId: string },
): InterceptConnector {
  const { address, port, host = '127.0.0.1', how = 'take-some' } = request;
  const service = services.find((known) => known.address === address);
  const isOffered = service?.destinations.some(({ siteId }) => siteId !== self.siteId) ?? false;
  // A service whose servers are all down is just what somebody may want to stand in for.
  if (!service || !(isOffered || service.pending))
    throw new CaravanError(
      'not-found',
      `No other site offers ${address}, so there is nothing to take from; to offer it: caravan expose ${address}`,
    );
  const { type, distribution, ports, listenerCredentials } = service;
  const cannot = whyNotIntercepted(type, how);
  if (cannot !== undefined) throw new CaravanError('bad-request', `${address} is ${type}: ${cannot}.`);
  if (distribution === 'multicast')
    throw new CaravanError(
      'bad-request',
      `${address} goes to all its servers: to be one of them, expose the port under that address.`,
    );
  const servicePort = request.servicePort ?? (ports.length === 1 ? ports[0]! : undefined);
  if (servicePort === undefined || !ports.includes(servicePort))
    throw new CaravanError('bad-request', `${address} has the ports ${ports.join(', ')}: say which one with the service port.`);
  const header = headerOf(request);
  const taken = service.intercepts?.find(
    (other) => other.siteId !== self.siteId && excludes(other, { how, header, port: servicePort }),
  );
  if (taken)
    throw new CaravanError(
      'conflict',
      `${taken.site} ${DOES[taken.how]} ${address}${taken.header ? ` with ${taken.header}` : ''} already; agree with whoever works there, or take others.`,
    );
  const settings = {
    intercept: how,
    distribution,
    ...(header !== undefined && { header }),
    // Clients speak as they did, also when nobody else is left.
    ...(listenerCredentials !== undefined && { listenerCredentials }),
    // Of several ports it takes clients of its own only; of a sole one, whoever asks for the address.
    ...(ports.length > 1 && { servicePort: String(servicePort) }),
  };
  return {
    name: `intercept-${resourceName(address, servicePort)}`,
    spec: { routingKey: address, port, host, type, settings },
    header,
  };
}

const DOES: Record<InterceptStatus['how'], string> = {
  'take-over': 'takes over',
  'take-some': 'takes requests of',
  'listen-in': 'listens in to',
};

function headerOf({ how = 'take-some', header }: InterceptRequest): string | undefined {
  if (how === 'take-over' && header !== undefined)
    throw new CaravanError('bad-request', 'Who takes over gets all requests: leave the header out, or take some.');
  const text = header ?? (how === 'take-some' ? headerOfUser(userName()) : undefined);
  if (text === undefined) return undefined;
  const field = readField(text);
  if (!field)
    throw new CaravanError('bad-request', `"${text}" is not a field and its value; write such as "baggage: caravan=ada".`);
  return headerText(field);
}

/** Whether a request that one of the two is for could be for the other as well. */
function excludes(
  other: InterceptStatus,
  wanted: { how: InterceptStatus['how']; header: string | undefined; port: number },
): boolean {
  if (other.port !== undefined && other.port !== wanted.port) return false;
  if (other.how !== wanted.how || other.how === 'listen-in') return false;
  return other.how === 'take-over' || other.header === wanted.header;
}
