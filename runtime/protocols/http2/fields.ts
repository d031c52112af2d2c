import { PSEUDONYM } from '../http/forwarded-lines.ts';
import type { Origin } from '../origin.ts';
import { type Field, field, fieldOf, type Fields, valuesOf } from './field.ts';

/** Fields that are about one connection only and never pass a proxy (RFC 9110, section 7.6.1; RFC 9113, section 8.2.2). */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);
const TRAILERS = field('te', 'trailers');
/** Lists that get one more element. One field each: some servers read only the first. */
const APPENDED = new Set(['forwarded', 'x-forwarded-for', 'via']);
const FORWARDED = new Set([...APPENDED, 'x-forwarded-proto', 'x-forwarded-host']);

/** Without what is about the connection: the well-known fields, and those that `Connection` names. `te: trailers` stays. */
export function withoutHopByHop(fields: Fields): Fields {
  if (!fields.some(isHopByHop)) return fields;
  const named = new Set(valuesOf(fields, 'connection').flatMap(elements));
  const left = fields.filter(({ name }) => !HOP_BY_HOP.has(name) && !named.has(name));
  if (valuesOf(fields, 'te').flatMap(elements).includes('trailers')) left.push(TRAILERS);
  return left;
}

function isHopByHop({ name, value }: Field): boolean {
  return HOP_BY_HOP.has(name) && (name !== 'te' || value !== TRAILERS.value);
}

function elements(list: string): string[] {
  return list.split(',').map((element) => element.trim().toLowerCase());
}

/** Of HTTP that a request came in, as Via names it (RFC 9110, sections 2.5 and 7.6.3). */
export type HttpVersion = '1.0' | '1.1' | '2.0';

/** Tells the next hop for whom it works, for one client: `Forwarded` (RFC 7239), the older fields that everybody reads, and Via. */
export class ForwardedFields {
  readonly #origin: Origin;
  /** The fields for requests that bring none of their own, for one host and version: mostly all of a client. */
  #plain: Fields = [];
  #plainFor: string | undefined;
  #plainVersion: HttpVersion | undefined;

  constructor(origin: Origin) {
    this.#origin = origin;
  }

  /** The client's address. */
  get client(): string {
    return this.#origin.address;
  }

  addTo(fields: Fields, version: HttpVersion): Fields {
    const host = fieldOf(fields, ':authority') ?? fieldOf(fields, 'host');
    if (fields.some(({ name }) => FORWARDED.has(name)))
      return [...fields.filter(({ name }) => !APPENDED.has(name)), ...this.#build(host, version, fields)];
    if (version !== this.#plainVersion || host !== this.#plainFor) {
      this.#plain = this.#build(host, version, []);
      this.#plainFor = host;
      this.#plainVersion = version;
    }
    return [...fields, ...this.#plain];
  }

  /** What is to be added behind what is there. */
  #build(host: string | undefined, version: HttpVersion, there: Fields): Field[] {
    const { address, node, proto } = this.#origin;
    const appended = (name: string, element: string): Field => field(name, [...valuesOf(there, name), element].join(', '));
    const built = [
      appended('forwarded', `for=${node}${host === undefined ? '' : `;host=${quoted(host)}`};proto=${proto}`),
      appended('x-forwarded-for', address),
      appended('via', `${version} ${PSEUDONYM}`),
    ];
    // What the first proxy saw stays: it alone knows what the client used.
    if (fieldOf(there, 'x-forwarded-proto') === undefined) built.push(field('x-forwarded-proto', proto));
    if (fieldOf(there, 'x-forwarded-host') === undefined && host !== undefined) built.push(field('x-forwarded-host', host));
    return built;
  }
}

/** A token as it is, anything else as a quoted string (RFC 9110, section 5.6). */
function quoted(value: string): string {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(value) ? value : `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

/** Whether a request is gRPC's, whose errors are told in trailers. */
export function isGrpc(fields: Fields): boolean {
  const type = fieldOf(fields, 'content-type');
  return type !== undefined && /^application\/grpc($|[+;])/i.test(type);
}
