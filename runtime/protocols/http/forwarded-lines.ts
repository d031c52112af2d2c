import type { Origin } from '../origin.ts';
import type { RequestHead } from './head.ts';
import type { KnownField } from './fields.ts';

/** The name under which this proxy appears in Via: a pseudonym, as RFC 9110, section 7.6.3, allows. */
export const PSEUDONYM = 'caravan';
/** These lists are written anew, with one more element. One line each: some servers read only the first. */
export const REWRITTEN: ReadonlySet<KnownField | 'named'> = new Set(['forwarded', 'via', 'x-forwarded-for'] as const);

/** The lines of fields that tell servers of the client of one connection. */
export class ForwardedLines {
  readonly #origin: Origin;
  /** The fields for requests that bring none of their own, for one host and version: mostly all of a connection. */
  #plain = '';
  #plainFor = '';

  constructor(origin: Origin) {
    this.#origin = origin;
  }

  /** Field lines to add to this request. What `REWRITTEN` names must be left out of its own. */
  linesFor(head: RequestHead): string {
    const bringsSome = head.lines.some(({ field }) => FORWARDED.has(field));
    if (bringsSome) return this.#build(head);
    const key = `${head.minor}${head.host}`;
    if (key !== this.#plainFor) {
      this.#plain = this.#build(head);
      this.#plainFor = key;
    }
    return this.#plain;
  }

  #build(head: RequestHead): string {
    const { host, minor } = head;
    const { address, node, proto } = this.#origin;
    const before = (field: KnownField) => {
      const value = head.known(field);
      return value === undefined || value === '' ? '' : `${value}, `;
    };
    // RFC 7239, section 4; a host with a port wants quotes.
    const named = host === '' ? '' : `;host=${/^[\w.-]+$/.test(host) ? host : `"${host}"`}`;
    const lines = [
      `Forwarded: ${before('forwarded')}for=${node}${named};proto=${proto}`,
      `X-Forwarded-For: ${before('x-forwarded-for')}${address}`,
      `Via: ${before('via')}1.${minor} ${PSEUDONYM}`,
    ];
    // What the first proxy saw stays: it alone knows what the client used.
    if (head.known('x-forwarded-proto') === undefined) lines.push(`X-Forwarded-Proto: ${proto}`);
    if (head.known('x-forwarded-host') === undefined && host !== '') lines.push(`X-Forwarded-Host: ${host}`);
    return `${lines.join('\r\n')}\r\n`;
  }
}

const FORWARDED = new Set<string>([...REWRITTEN, 'x-forwarded-host', 'x-forwarded-proto']);
