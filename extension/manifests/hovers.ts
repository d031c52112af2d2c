/** What is told of an annotation under the pointer. Pure. */
import {
  AGGREGATE,
  DISTRIBUTION,
  EXPOSURE_ANNOTATIONS,
  PORT,
  PROXY,
  readExposure,
} from '../../runtime/kubernetes/annotations.ts';
import { TLS } from '../../runtime/kubernetes/tls-annotations.ts';
import type { ExposedPort, Exposure } from '../../runtime/kubernetes/types.ts';
import { counted } from '../../runtime/words.ts';
import {
  AGGREGATE_TEXTS,
  type AnnotationKey,
  DISTRIBUTION_TEXTS,
  escaped,
  KEY_TEXTS,
  PROTOCOL_TEXTS,
  TLS_TEXTS,
} from './annotation-texts.ts';
import type { Workload } from './workloads.ts';

export interface Hover {
  start: number;
  end: number;
  markdown: string;
}

/** What the network says of an address now. */
export interface OfferedNow {
  /** `west/shop ×3, this laptop`; empty: nowhere. */
  at: string;
  /** `localhost:5432` */
  local?: string;
  /** One sentence, where something is wrong with it. */
  warning?: string;
}

/** `offered` is undefined for an address that no network knows. */
export function hoverAt(
  workloads: readonly Workload[],
  offset: number,
  offered: (address: string) => OfferedNow | undefined,
): Hover | undefined {
  for (const workload of workloads)
    for (const key of EXPOSURE_ANNOTATIONS) {
      const range = workload.annotationRanges[key];
      const under = range && [range.key, range.value].find(([start, end]) => start <= offset && offset <= end);
      if (under) return { start: under[0], end: under[1], markdown: textOf(workload, key, offered) };
    }
  return undefined;
}

function textOf(workload: Workload, key: AnnotationKey, offered: (address: string) => OfferedNow | undefined): string {
  const { kind, name, annotations, ports } = workload;
  const exposure = readExposure(kind, { name, annotations }, ports);
  const paragraphs = [`**${key}**: ${KEY_TEXTS[key].text}`, meaning(key, annotations[key]!)];
  if (exposure === undefined) paragraphs.push(`${kind} ${escaped(name)} is not exposed: it has no \`${PROXY}\`.`);
  else if (typeof exposure === 'string') paragraphs.push(escaped(exposure));
  else paragraphs.push(key === PORT ? leads(exposure) : '', now(exposure, offered(exposure.address)));
  return paragraphs.filter(Boolean).join('\n\n');
}

function meaning(key: AnnotationKey, value: string): string {
  const texts: Partial<Record<AnnotationKey, Record<string, string>>> = {
    [PROXY]: PROTOCOL_TEXTS,
    [DISTRIBUTION]: DISTRIBUTION_TEXTS,
    [AGGREGATE]: AGGREGATE_TEXTS,
    [TLS]: TLS_TEXTS,
  };
  const text = texts[key]?.[value];
  return text ? `\`${value}\`: ${text}` : '';
}

/** Where its ports lead, as far as that is not what anybody expects. */
function leads({ ports }: Exposure): string {
  const elsewhere = ports.filter(({ port, targetPort, targetName }) => targetName || port !== targetPort);
  const target = ({ targetPort, targetName }: ExposedPort) => (targetName ? escaped(targetName) : targetPort);
  return elsewhere.map((exposed) => `Port ${exposed.port} leads to port ${target(exposed)} of the pods.`).join(' ');
}

function now({ address, ports }: Exposure, service: OfferedNow | undefined): string {
  const where = `\`${address}:${ports[0]?.port}\``;
  const more = ports.length > 1 ? ` and ${counted(ports.length - 1, 'other port')}` : '';
  if (!service) return `Others reach it at ${where}${more}. No network that is known here offers it now.`;
  const offered = service.at ? `Offered now by ${escaped(service.at)}.` : 'Offered nowhere now: nothing behind it is ready.';
  const local = service.local ? ` On this computer: ${service.local}.` : '';
  return `Others reach it at ${where}${more}. ${offered}${local}${service.warning ? `\n\n${escaped(service.warning)}` : ''}`;
}
