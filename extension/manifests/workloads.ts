import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseAllDocuments,
  type ParsedNode,
  type YAMLMap,
} from 'yaml';
import { type OwnPort, ownPorts } from '../../runtime/kubernetes/annotations.ts';
import { WORKLOAD_KINDS, type WorkloadKind } from '../../runtime/kubernetes/types.ts';
import { hasTemplatedPort } from './templates.ts';

/** A larger file shows no lenses: aliases can make reading it very slow. Characters. */
export const MAX_MANIFEST_LENGTH = 1024 * 1024;

/** An object of a manifest that can be exposed. Offsets count from the text's start. */
export interface Workload {
  kind: WorkloadKind;
  name: string;
  /** As the manifest says; undefined: wherever it is applied. */
  namespace?: string;
  /** Which it is: the document's number in the text, and the item's where it is a `kind: List`. */
  document: number;
  item?: number;
  /** Offset of the key `kind`. */
  kindOffset: number;
  kindLine: number;
  annotations: Record<string, string>;
  /** Where each annotation stands, for diagnostics and hovers. */
  annotationRanges: Record<string, AnnotationRange>;
  ports: OwnPort[];
  /** Ports of containers that run beside the others as init containers: they are listened on too. */
  sidecarPorts: OwnPort[];
  /** A template fills in ports of it: there may be others than these. */
  hasTemplatedPort: boolean;
  /** Its map, for edits. */
  node: YAMLMap.Parsed;
}

export interface AnnotationRange {
  key: [number, number];
  value: [number, number];
  /** False for `8080` without quotes: a number, which Kubernetes refuses as an annotation. */
  isText: boolean;
}

export interface Manifest {
  workloads: Workload[];
  /** Documents that cannot be read. Lines count from 0. */
  broken: { firstLine: number; lastLine: number; message: string }[];
}

/** Finds what can be exposed in a YAML text. Never throws: a document that cannot be read is told apart, the others still count. */
export function readManifest(text: string): Manifest {
  const manifest: Manifest = { workloads: [], broken: [] };
  if (text.length > MAX_MANIFEST_LENGTH) return manifest;
  const lines = new LineCounter();
  const lineOf = (offset: number) => Math.max(0, lines.linePos(offset).line - 1);
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, logLevel: 'silent', uniqueKeys: true });
  for (const [index, document] of documents.entries()) {
    const [error] = document.errors;
    if (error) {
      const message = `Line ${lineOf(error.pos[0]) + 1} is not valid YAML: ${error.message.split('\n')[0]?.replace(/[.:]$/, '')}.`;
      manifest.broken.push({ firstLine: lineOf(document.range[0]), lastLine: lineOf(document.range[2]), message });
      continue;
    }
    const root = document.contents;
    if (!isMap(root)) continue;
    const items = valueText(pairOf(root, 'kind')) === 'List' ? pairOf(root, 'items')?.value : undefined;
    const nodes = isSeq(items) ? items.items.map((node, item) => ({ node, item })) : [{ node: root, item: undefined }];
    for (const { node, item } of nodes) {
      const workload = isMap(node) ? toWorkload(document, node, text, lineOf) : undefined;
      if (workload) manifest.workloads.push({ ...workload, document: index, ...(item === undefined ? {} : { item }) });
    }
  }
  return manifest;
}

function toWorkload(document: Document.Parsed, node: YAMLMap.Parsed, text: string, lineOf: (offset: number) => number) {
  const kindPair = pairOf(node, 'kind');
  const kind = valueText(kindPair);
  const metadata = mapOf(node, 'metadata');
  const name = valueText(metadata && pairOf(metadata, 'name'));
  if (!kindPair || !metadata || !name || !isWorkloadKind(kind) || !API_VERSIONS.test(valueText(pairOf(node, 'apiVersion')) ?? ''))
    return undefined;
  const annotations: Workload['annotations'] = {};
  const annotationRanges: Workload['annotationRanges'] = {};
  for (const pair of mapOf(metadata, 'annotations')?.items ?? []) {
    const [key, value] = [pair.key.toString(), valueText(pair)];
    if (!isScalar(pair.key) || value === undefined) continue;
    annotations[key] = value;
    const isText = isScalar(pair.value) && typeof pair.value.value === 'string';
    annotationRanges[key] = { key: span(pair.key.range), value: span(pair.value?.range ?? pair.key.range), isText };
  }
  const object = plain(document, node);
  const kindOffset = span(kindPair.key.range)[0];
  const namespace = valueText(pairOf(metadata, 'namespace'));
  return {
    kind,
    name,
    kindOffset,
    kindLine: lineOf(kindOffset),
    annotations,
    annotationRanges,
    node,
    ports: ownPorts(kind, object),
    sidecarPorts: sidecarPorts(kind, object),
    hasTemplatedPort: hasTemplatedPort(text.slice(...span(node.range))),
    ...(namespace ? { namespace } : {}),
  };
}

/** Another API's `Service`, such as Knative's, is none of ours. */
const API_VERSIONS = /^(v1|apps\/v1)$/;

function isWorkloadKind(kind: string | undefined): kind is WorkloadKind {
  return (WORKLOAD_KINDS as readonly (string | undefined)[]).includes(kind);
}

/** Too many aliases make it no object: then it has no ports. */
function plain(document: Document.Parsed, node: YAMLMap.Parsed): unknown {
  try {
    return node.toJS(document, { maxAliasCount: 100 });
  } catch {
    return undefined;
  }
}

function sidecarPorts(kind: WorkloadKind, object: unknown): OwnPort[] {
  const initContainers = (object as { spec?: { template?: { spec?: { initContainers?: unknown } } } } | undefined)?.spec?.template
    ?.spec?.initContainers;
  return kind === 'Service' ? [] : ownPorts(kind, { spec: { template: { spec: { containers: initContainers } } } });
}

export type ParsedPair = Pair<ParsedNode, ParsedNode | null>;

export function pairOf(map: YAMLMap.Parsed, key: string): ParsedPair | undefined {
  return map.items.find((pair) => isScalar(pair.key) && pair.key.value === key);
}

export function mapOf(map: YAMLMap.Parsed, key: string): YAMLMap.Parsed | undefined {
  const value = pairOf(map, key)?.value;
  return isMap(value) ? value : undefined;
}

/** A scalar's text as Kubernetes would take it; undefined where there is none. */
function valueText(pair: ParsedPair | undefined): string | undefined {
  const value = pair?.value;
  if (!isScalar(value) || value.value === null) return undefined;
  return typeof value.value === 'string' ? value.value : value.source;
}

function span(range: readonly [number, number, number]): [number, number] {
  return [range[0], range[1]];
}
