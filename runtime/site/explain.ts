import type { Explanation, ExplainStep, Status } from '../api/types.ts';
import { ago, counted, reachedAt, standsIn, tally } from '../words.ts';

/** What who stands in gets. */
const GETS = {
  'take-over': 'it gets all',
  'take-some': 'it gets requests with this field',
  'listen-in': 'it gets copies of requests',
};

/** Follows an address from who offers it to who can use it here, and says where it breaks. */
export function explain(status: Status, address: string): Explanation {
  const service = status.services.find((candidate) => candidate.address === address);
  const steps: ExplainStep[] = [];
  const connectors = status.connectors.filter((connector) => connector.address === address);
  for (const { name, source, state, targets, message } of connectors)
    steps.push({
      ok: state === 'ready',
      title: `${name} makes ${address} known here`,
      detail: message ?? `${counted(targets.length, 'server')}: ${targets.join(', ')} (${source})`,
    });
  // Nowhere to be reached: the links that are down may be why.
  if (service?.destinations.length === 0)
    for (const { id, state, message } of status.links)
      if (state !== 'up')
        steps.push({ ok: false, title: `the link ${id} is not up`, detail: message ?? 'the other side has not answered yet' });
  steps.push(offered(status, address));
  for (const { site, target, ...how } of service?.intercepts ?? [])
    steps.push({ ok: true, title: standsIn(site, how), detail: `${GETS[how.how]}, at ${target}, for as long as it is linked` });
  const sites = [...new Set(service?.destinations.map(({ site }) => site))];
  for (const site of sites.filter((name) => name !== status.site.name)) steps.push(wayTo(status, site));
  const listeners = status.listeners.filter((listener) => listener.address === address);
  for (const { state, message, source, ...where } of listeners)
    steps.push({
      ok: state === 'open',
      title: `clients here connect to ${reachedAt(where)}`,
      detail: message ?? (state === 'open' ? `listening (${source})` : 'refuses connections while nothing offers the address'),
    });
  if (listeners.length === 0)
    steps.push({
      ok: undefined,
      title: 'nothing listens for it here',
      detail: sites.includes(status.site.name)
        ? 'this site offers it itself'
        : `to use it here: caravan listen ${address} --port PORT`,
    });
  for (const { where, message } of status.problems.filter((problem) => problem.message.includes(address)))
    steps.push({ ok: false, title: where, detail: message });
  const broken = steps.find(({ ok }) => ok === false);
  const summary = broken
    ? `${address} cannot be reached: ${broken.detail}`
    : `${address} can be reached from ${status.site.name}.`;
  return { address, summary, steps };
}

function offered({ services }: Status, address: string): ExplainStep {
  const service = services.find((candidate) => candidate.address === address);
  if (!service)
    return {
      ok: false,
      title: `no site offers ${address}`,
      detail: `nothing in the network offers ${address}; expose it, or check the name`,
    };
  const { type, ports, destinations, lastOffered } = service;
  const bySite = tally(destinations.map(({ site }) => site));
  if (destinations.length === 0)
    return {
      ok: false,
      title: `${address} is offered nowhere`,
      detail: service.pending
        ? `${service.pending.join(', ')} exposes it, but no server there is ready`
        : `the sites that offered it are out of reach${lastOffered ? `, last seen ${ago(lastOffered)}` : ''}`,
    };
  return { ok: true, title: `${address} is offered`, detail: `${type} ${ports.join(', ')} by ${bySite}` };
}

function wayTo({ links, sites }: Status, site: string): ExplainStep {
  const direct = links.find((link) => link.peer === site && link.state === 'up');
  if (direct) {
    const rtt = direct.rttMs === undefined ? '' : `, ${direct.rttMs.toFixed(1)} ms`;
    return { ok: true, title: `${site} is linked directly`, detail: `cost ${direct.cost}${rtt}` };
  }
  const reachable = sites.some(({ name, reachable: known }) => name === site && known);
  return reachable
    ? { ok: true, title: `${site} is reached through other sites`, detail: 'no link of its own' }
    : { ok: false, title: `no path leads to ${site}`, detail: `no link to ${site} is up` };
}
