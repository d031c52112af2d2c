/** What stands above an object's `kind:` line: pure, from the text's objects and what the network says of their addresses. */
import { readExposure } from '../../runtime/kubernetes/annotations.ts';
import type { Service } from '../views/networks.ts';
import { counted, perSecond } from '../../runtime/words.ts';
import { joined } from '../views/row.ts';
import { isTemplate } from './templates.ts';
import type { Workload } from './workloads.ts';

export type LensAction = 'expose' | 'explain' | 'open' | 'stop' | 'none';

export interface Lens {
  line: number;
  title: string;
  tooltip: string;
  action: LensAction;
  workload: Pick<Workload, 'document' | 'item'>;
  address?: string;
  url?: string;
}

/** @param serviceOf What the network knows of an address; undefined where no network is known. */
export function lensesOf(workloads: readonly Workload[], serviceOf?: (address: string) => Service | undefined): Lens[] {
  return workloads.flatMap((workload) => {
    const { kind, name, annotations, ports, document, item, kindLine } = workload;
    const which = { document, ...(item === undefined ? {} : { item }) };
    const lens = (action: LensAction, title: string, tooltip: string, more: Pick<Lens, 'address' | 'url'> = {}): Lens => ({
      line: kindLine,
      action,
      title,
      tooltip,
      workload: which,
      ...more,
    });
    const stop = lens('stop', 'Stop exposing', `Takes the annotations of ${kind} ${name} away, here and in the clusters.`);
    const exposure = readExposure(kind, { name, annotations }, ports);
    if (exposure === undefined)
      return [lens('expose', '⊕ Expose on network…', `Makes ${kind} ${name} reachable from every site of the network.`)];
    if (isTemplate(workload))
      return [lens('none', '○ exposed by a template', `Where ${kind} ${name} is applied, it shows what it exposes.`), stop];
    if (typeof exposure === 'string') return [lens('none', `⚠ ${exposure}`, exposure), stop];
    const { address, type } = exposure;
    const service = serviceOf?.(address);
    const sites = new Set(service?.destinations.map(({ siteId }) => siteId)).size;
    const offered = sites > 0 ? counted(sites, 'site') : serviceOf && 'not offered yet';
    const exposed = exposure.ports.map(({ port }) => port).join(', ');
    const title = joined(' · ', [address, `${type} ${exposed}`, offered, perSecond(service?.perSecond, type)]);
    const url = service?.url;
    return [
      lens(
        'explain',
        `${sites > 0 ? '●' : '○'} ${title}`,
        service?.warning ?? `Where ${address} is offered, and whether it can be reached.`,
        { address },
      ),
      ...(url ? [lens('open', 'Open', `Opens ${url} in the browser.`, { url })] : []),
      lens('explain', 'Explain', `Why ${address} can or cannot be reached.`, { address }),
      stop,
    ];
  });
}
