import { annotationsFor, EXPOSURE_ANNOTATIONS, guessProtocol } from '../../runtime/kubernetes/annotations.ts';
import { SETTING_ANNOTATIONS, whyNotSettingOf } from '../../runtime/kubernetes/setting-annotations.ts';
import { TLS_ANNOTATIONS } from '../../runtime/kubernetes/tls-annotations.ts';
import type { Protocol } from '../../runtime/api/types.ts';
import { protocolsAfter } from '../protocols-after.ts';
import type { Workload } from './workloads.ts';

export interface Proposal {
  address: string;
  /** The likeliest first. */
  types: Protocol[];
  /** Why the first is the likeliest. */
  reason: string;
  /** The object's own; empty: somebody must say which. */
  ports: number[];
}

/** What exposing an object would mean, as far as the manifest tells. */
export function propose({ name, ports }: Workload): Proposal {
  const isUdp = ({ protocol }: { protocol?: string }) => protocol === 'UDP';
  // An annotation is for one protocol: where there are both, datagrams are for those who ask for them.
  const own = ports.every(isUdp) ? ports : ports.filter((port) => !isUdp(port));
  const [first] = own;
  const guess = first ? guessProtocol(first) : 'tcp';
  const reason = first ? `as port ${joinedName(first)} suggests` : '';
  return {
    address: name,
    types: protocolsAfter(guess),
    reason,
    ports: [...new Set(own.map(({ port }) => port))],
  };
}

function joinedName({ port, name }: { port: number; name?: string }): string {
  return name ? `${port} (${name})` : `${port}`;
}

/** The annotations to set; those of an earlier exposure that say something else go. What its servers and clients speak within stays, and which requests it takes. */
export function exposureAnnotations(
  { name, annotations }: Workload,
  choice: { address: string; type: Protocol; port?: number },
): Record<string, string | null> {
  const { address, type, port } = choice;
  const ports = port === undefined ? [] : [{ port, targetPort: port }];
  const wanted = annotationsFor({ address, type, distribution: 'balanced', ports }, name);
  const fitting = SETTING_ANNOTATIONS.filter((key) => whyNotSettingOf(key, annotations[key] ?? '', type) === undefined);
  const staying = new Set<string>([...fitting, ...(type === 'udp' ? [] : TLS_ANNOTATIONS)]);
  const stale = EXPOSURE_ANNOTATIONS.filter((key) => key in annotations && !(key in wanted) && !staying.has(key));
  return { ...wanted, ...Object.fromEntries(stale.map((key) => [key, null])) };
}

/** What *Stop exposing* does to annotations. */
export const NO_EXPOSURE: Record<string, null> = Object.fromEntries(EXPOSURE_ANNOTATIONS.map((key) => [key, null]));
