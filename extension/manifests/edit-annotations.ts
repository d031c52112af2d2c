import { isMap, isScalar, type YAMLMap } from 'yaml';
import { CaravanError } from '../../runtime/errors.ts';
import { mapOf, pairOf, type ParsedPair, readManifest, type Workload } from './workloads.ts';

/** Replaces the characters from `start` to `end`. */
export interface TextEdit {
  start: number;
  end: number;
  text: string;
}
type Which = Pick<Workload, 'document' | 'item'>;

/**
 * The smallest edit that sets annotations of an object in a manifest; null removes one. Nothing else of the text changes: comments,
 * quotes, order and line ends stay. Rejects with a `CaravanError` where the object cannot be edited.
 */
export function editAnnotations(text: string, which: Which, annotations: Record<string, string | null>): TextEdit {
  let now = text;
  let workload = find(now, which);
  // One at a time: each step is simple, and the next one reads its result.
  for (const [key, value] of Object.entries(annotations)) {
    const edit = value === null ? removal(now, workload, key) : addition(now, workload, key, value);
    if (!edit) continue;
    now = now.slice(0, edit.start) + edit.text + now.slice(edit.end);
    workload = find(now, which);
  }
  return difference(text, now);
}

function find(text: string, which: Which): Workload {
  const found = readManifest(text).workloads.find(({ document, item }) => document === which.document && item === which.item);
  if (!found) throw new CaravanError('bad-request', 'The object is not in this file any more: open its lens again.');
  return found;
}

function addition(text: string, { node, name }: Workload, key: string, value: string): TextEdit | undefined {
  const metadata = mapOf(node, 'metadata')!;
  const named = pairOf(metadata, 'name')!;
  const json = isScalar(named.key) && named.key.type === 'QUOTE_DOUBLE';
  const line = `${json ? JSON.stringify(key) : key}: ${json ? JSON.stringify(value) : scalar(value)}`;
  const annotations = pairOf(metadata, 'annotations');
  if (!annotations) {
    const owner = json ? '"annotations"' : 'annotations';
    if (metadata.flow) return insert(lastEnd(metadata), `, ${owner}: {${line}}`);
    const indent = columnOf(text, start(named));
    return insertLines(text, end(named), [`${indent}annotations:`, `${indent}${step(text, node, metadata)}${line}`]);
  }
  const map = annotations.value;
  if (isMap(map)) {
    const known = pairOf(map, key);
    if (known)
      return isScalar(known.value) && known.value.value === value
        ? undefined
        : setValue(text, known, json ? JSON.stringify(value) : scalar(value));
    if (map.items.length > 0) {
      if (map.flow) return insert(lastEnd(map), `, ${line}`);
      const first = map.items[0]!;
      return insertLines(text, lastEnd(map), [`${columnOf(text, start(first))}${line}`]);
    }
  } else if (!isScalar(map) || map.value !== null) {
    throw new CaravanError('bad-request', `The annotations of ${name} are not a map of their own: write them out first.`);
  }
  if (metadata.flow) return { start: map.range[0], end: map.range[1], text: `{${line}}` };
  // `annotations:`, `annotations: {}`, `annotations: null`: the value goes, a block begins.
  const keyEnd = annotations.key.range[1];
  const colon = text.indexOf(':', keyEnd) + 1;
  const lineEnd = endOfLine(text, Math.max(colon, map.range[1]));
  const rest = text.slice(Math.max(colon, map.range[1]), lineEnd.at).trimEnd();
  const block = `${columnOf(text, start(annotations))}${step(text, node, metadata)}${line}`;
  return { start: colon, end: lineEnd.at, text: `${rest && !/^\s/.test(rest) ? ' ' : ''}${rest}${eol(text)}${block}` };
}

function removal(text: string, { node }: Workload, key: string): TextEdit | undefined {
  const metadata = mapOf(node, 'metadata')!;
  const map = mapOf(metadata, 'annotations');
  const pair = map && pairOf(map, key);
  if (!map || !pair) return undefined;
  if (map.flow) {
    if (map.items.length === 1 && !metadata.flow) return removeLines(text, pairOf(metadata, 'annotations')!);
    const index = map.items.indexOf(pair);
    const next = map.items[index + 1];
    const previous = map.items[index - 1];
    if (next) return { start: start(pair), end: start(next), text: '' };
    return { start: previous ? end(previous) : start(pair), end: end(pair), text: '' };
  }
  if (map.items.length > 1) return removeLines(text, pair);
  // The last one: `annotations:` goes with it, what is commented between them stays.
  const owner = pairOf(metadata, 'annotations')!;
  const ownLine = { start: startOfLine(text, start(owner)), end: endOfLine(text, owner.key.range[1]).next };
  const pairLines = removeLines(text, pair);
  return { start: ownLine.start, end: pairLines.end, text: text.slice(ownLine.end, Math.max(ownLine.end, pairLines.start)) };
}

function setValue(text: string, { key, value }: ParsedPair, source: string): TextEdit {
  if (value && value.range[0] !== value.range[1]) return { start: value.range[0], end: value.range[1], text: source };
  return insert(text.indexOf(':', key.range[1]) + 1, ` ${source}`);
}

function removeLines(text: string, pair: ParsedPair): TextEdit {
  return { start: startOfLine(text, start(pair)), end: endOfLine(text, end(pair)).next, text: '' };
}

function insert(at: number, text: string): TextEdit {
  return { start: at, end: at, text };
}

/** Whole lines after the line that `offset` is in, or right there where a block scalar ended before it. */
function insertLines(text: string, offset: number, lines: string[]): TextEdit {
  const newline = eol(text);
  if (offset > 0 && text[offset - 1] === '\n') return insert(offset, lines.map((line) => line + newline).join(''));
  return insert(endOfLine(text, offset).at, lines.map((line) => newline + line).join(''));
}

function start({ key }: ParsedPair): number {
  return key.range[0];
}

function end({ key, value }: ParsedPair): number {
  return Math.max(key.range[1], value?.range[1] ?? 0);
}

function lastEnd(map: YAMLMap.Parsed): number {
  return end(map.items.at(-1)!);
}

function eol(text: string): string {
  return /\r\n/.test(text) ? '\r\n' : '\n';
}

function startOfLine(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

/** `at`: before the line's end; `next`: where the next line begins. After a block scalar, that is where it ended. */
function endOfLine(text: string, offset: number): { at: number; next: number } {
  if (offset > 0 && text[offset - 1] === '\n') return { at: offset, next: offset };
  const newline = text.indexOf('\n', offset);
  if (newline < 0) return { at: text.length, next: text.length };
  return { at: text[newline - 1] === '\r' ? newline - 1 : newline, next: newline + 1 };
}

/** Spaces as wide as what stands before `offset` in its line: `- ` of a list counts. */
function columnOf(text: string, offset: number): string {
  return ' '.repeat(offset - startOfLine(text, offset));
}

/** How far the file indents: what `metadata` does to its children. */
function step(text: string, node: YAMLMap.Parsed, metadata: YAMLMap.Parsed): string {
  const outer = columnOf(text, start(pairOf(node, 'metadata')!)).length;
  const inner = columnOf(text, start(metadata.items[0]!)).length;
  return ' '.repeat(inner > outer ? inner - outer : 2);
}

/** Plain where no reader can take it for anything but a text; annotations must be texts. */
function scalar(value: string): string {
  const isWord = /^[a-zA-Z][\w./-]*$/.test(value) && !/^(true|false|yes|no|on|off|null|y|n)$/i.test(value);
  return isWord ? value : JSON.stringify(value);
}

function difference(before: string, after: string): TextEdit {
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < most - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  return { start: head, end: before.length - tail, text: after.slice(head, after.length - tail) };
}
