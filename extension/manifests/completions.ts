/** What can be written at a place in a manifest. Pure; reads lines, because what is being written is seldom valid YAML. */
import { AGGREGATES, DISTRIBUTIONS, PROTOCOLS, TLS_MODES } from '../../runtime/api/vocabulary.ts';
import {
  AGGREGATE,
  DISTRIBUTION,
  EXPOSURE_ANNOTATIONS,
  guessProtocol,
  PORT,
  PROXY,
} from '../../runtime/kubernetes/annotations.ts';
import { PROXY_PROTOCOL } from '../../runtime/kubernetes/setting-annotations.ts';
import { TLS, TLS_CLIENT_CERT } from '../../runtime/kubernetes/tls-annotations.ts';
import { WORKLOAD_KINDS } from '../../runtime/kubernetes/types.ts';
import { protocolsAfter } from '../protocols-after.ts';
import { AGGREGATE_TEXTS, DISTRIBUTION_TEXTS, KEY_TEXTS, PROTOCOL_TEXTS, TLS_TEXTS } from './annotation-texts.ts';
import { readManifest, type Workload } from './workloads.ts';

export interface Completion {
  kind: 'key' | 'value';
  label: string;
  detail: string;
  /** Markdown. */
  documentation: string;
  /** Replaces the characters from `start` to `end`. */
  insert: string;
  start: number;
  end: number;
}

/** The best first. Empty wherever Caravan has nothing to say. */
export function completionsAt(text: string, offset: number): Completion[] {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const newline = text.indexOf('\n', offset);
  const lineEnd = newline < 0 ? text.length : newline;
  const [before, after] = [text.slice(lineStart, offset), text.slice(offset, lineEnd).trimEnd()];
  const [, keyIndent, keyQuote, word] = /^( *)(["']?)([\w./-]*)$/.exec(before) ?? [];
  const [, indent, , key, quote, value] = /^( *)(["']?)([\w./-]+)\2:[ \t]+(["']?)([^"'#]*)$/.exec(before) ?? [];
  const column = (keyIndent ?? indent)?.length;
  if (column === undefined) return [];
  const kindOffset = kindOf(text, lineStart, column);
  if (kindOffset === undefined) return [];
  // Without the line that is being written, the rest can usually be read.
  const rest = text.slice(0, lineStart) + ' '.repeat(lineEnd - lineStart) + text.slice(lineEnd);
  const workload = readManifest(rest).workloads.find((known) => known.kindOffset === kindOffset);
  if (word !== undefined) {
    if (word === '' && after !== '' && !keyQuote) return []; // before a key that is there already
    const end = offset + /^[\w./-]*/.exec(after)![0].length;
    return keys(workload, { quote: keyQuote!, after: text.slice(end, lineEnd).trimEnd(), start: offset - word.length, end });
  }
  const end = offset + /^[^"'#\s]*/.exec(after)![0].length;
  return values(key!, workload, { quote: quote!, after: text.slice(end, lineEnd).trimEnd(), start: offset - value!.length, end });
}

/** Where a completion goes. `quote` was opened before it; `after` is what follows it in its line. */
interface Place {
  quote: string;
  after: string;
  start: number;
  end: number;
}

function keys(workload: Workload | undefined, { quote, after, start, end }: Place): Completion[] {
  return EXPOSURE_ANNOTATIONS.filter((key) => !(key in (workload?.annotations ?? {}))).map((key) => {
    const closed = quote && !after.startsWith(quote) ? key + quote : key;
    const { short, text } = KEY_TEXTS[key];
    return {
      kind: 'key',
      label: key,
      detail: short,
      documentation: text,
      insert: after.includes(':') || (quote && after) ? closed : `${closed}: `,
      start,
      end,
    };
  });
}

function values(key: string, workload: Workload | undefined, { quote, after, start, end }: Place): Completion[] {
  const value = (label: string, detail: string, documentation: string, mustQuote = false): Completion => {
    const closing = quote && !after.startsWith(quote) ? quote : '';
    return {
      kind: 'value',
      label,
      detail,
      documentation,
      insert: mustQuote && !quote ? `"${label}"` : label + closing,
      start,
      end,
    };
  };
  const own = workload?.ports ?? [];
  if (key === PROXY) {
    const first = own.find(({ protocol }) => protocol !== 'UDP');
    const guess = first && guessProtocol(first);
    return (guess ? protocolsAfter(guess) : PROTOCOLS).map((type) =>
      value(type, type === guess ? `usual for port ${first!.port}` : '', PROTOCOL_TEXTS[type]),
    );
  }
  if (key === DISTRIBUTION)
    return DISTRIBUTIONS.map((how) => value(how, how === 'balanced' ? 'default' : '', DISTRIBUTION_TEXTS[how]));
  if (key === AGGREGATE) return AGGREGATES.map((how) => value(how, '', AGGREGATE_TEXTS[how]));
  if (key === PROXY_PROTOCOL) return [value('v2', '', KEY_TEXTS[PROXY_PROTOCOL].text)];
  if (key === TLS) return TLS_MODES.map((how) => value(how, '', TLS_TEXTS[how], how === 'true'));
  if (key === TLS_CLIENT_CERT) return [value('true', '', KEY_TEXTS[TLS_CLIENT_CERT].text, true)];
  if (key !== PORT) return [];
  const numbers = [...new Set(own.map(({ port }) => port))];
  const named = numbers.map((port) => {
    const names = own.filter((each) => each.port === port && each.name).map(({ name }) => name);
    return value(`${port}`, [...new Set(names)].join(', '), KEY_TEXTS[PORT].text, true);
  });
  return numbers.length > 1 ? [...named, value(numbers.join(','), 'all of them', KEY_TEXTS[PORT].text, true)] : named;
}

/**
 * Where the `kind:` of the object stands whose own annotations a line of this indent belongs to: not those of a pod template. Undefined
 * where it is no such line, or the object is of no kind that can be exposed.
 */
function kindOf(text: string, lineStart: number, indent: number): number | undefined {
  const above = linesBefore(text, lineStart);
  const annotations = above.findIndex((line) => line.column < indent);
  if (above[annotations]?.key !== 'annotations' || above[annotations].value) return undefined;
  const rest = above.slice(annotations + 1);
  const at = rest.findIndex((line) => line.column < above[annotations]!.column);
  const metadata = rest[at];
  if (metadata?.key !== 'metadata') return undefined;
  const before = siblings(metadata.isItem ? [] : rest.slice(at + 1), metadata.column, 'up');
  const after = siblings(linesAfter(text, lineStart), metadata.column, 'down');
  const kind = [...before, ...after].find(({ key }) => key === 'kind');
  return kind && (WORKLOAD_KINDS as readonly string[]).includes(kind.value) ? kind.offset : undefined;
}

interface Line {
  /** Where its key begins: in the text, and in its line. */
  offset: number;
  column: number;
  key: string;
  /** Without quotes and comment. */
  value: string;
  /** It begins an item of a list. */
  isItem: boolean;
}

/** Keys of the map whose keys stand in this column. */
function siblings(lines: readonly Line[], column: number, direction: 'up' | 'down'): Line[] {
  const found: Line[] = [];
  for (const line of lines) {
    if (line.column < column || (line.isItem && direction === 'down' && line.column === column)) break;
    if (line.column === column) found.push(line);
    if (line.isItem && line.column === column) break;
  }
  return found;
}

/** The document's lines above, the nearest first. */
function linesBefore(text: string, end: number): Line[] {
  const lines: Line[] = [];
  for (let next = end; next > 0;) {
    const start = text.lastIndexOf('\n', next - 2) + 1;
    const line = text.slice(start, next);
    if (BOUNDARY.test(line)) break;
    lines.push(...parsed(line, start));
    next = start;
  }
  return lines;
}

/** The document's lines below the one that begins at `from`. */
function linesAfter(text: string, from: number): Line[] {
  const lines: Line[] = [];
  for (let newline = text.indexOf('\n', from); newline >= 0;) {
    const start = newline + 1;
    newline = text.indexOf('\n', start);
    const line = text.slice(start, newline < 0 ? text.length : newline);
    if (BOUNDARY.test(line)) break;
    lines.push(...parsed(line, start));
  }
  return lines;
}

const BOUNDARY = /^(---|\.\.\.)(\s|$)/;

/** Nothing for a line without a key; a line of a list without one is told by an empty key. */
function parsed(line: string, start: number): Line[] {
  const [, lead, dashes, rest] = /^( *)((?:- +)*)([^#\s].*)/.exec(line) ?? [];
  if (rest === undefined) return [];
  const [, , key = '', value = ''] = /^(["']?)([\w./-]+)\1\s*:(?:\s+(.*))?$/.exec(rest.trimEnd()) ?? [];
  const column = lead!.length + dashes!.length;
  const bare = value.replace(/(^|\s)#.*$/, '').trim().replace(/^(["'])(.*)\1$/, '$2'); // prettier-ignore
  return [{ offset: start + column, column, key, value: bare, isItem: dashes !== '' }];
}
