import { Decoder } from './decoder.ts';
import { Encoder } from './encoder.ts';

const HEADER = 0x70;
const DELIVERY_ANNOTATIONS = 0x71;
const MESSAGE_ANNOTATIONS = 0x72;
const PROPERTIES = 0x73;

/**
 * Whom a message is for: the `to` of its properties (section 3.2.4 of AMQP 1.0); null where it names nobody.
 *
 * @param start Its first bytes.
 * @returns Undefined where the properties may be further on.
 * @throws {AmqpError} Where it is no message.
 */
export function recipient(start: Buffer, isWhole: boolean): string | null | undefined {
  const decoder = new Decoder(start);
  try {
    while (decoder.hasMore) {
      const section = decoder.descriptor();
      if (section === PROPERTIES) {
        const fields = decoder.list();
        fields.raw();
        fields.raw();
        return fields.string() ?? null;
      }
      if (section !== HEADER && section !== DELIVERY_ANNOTATIONS && section !== MESSAGE_ANNOTATIONS) return null;
      decoder.raw();
    }
  } catch (error) {
    // A section that is cut off looks like a wrong one.
    if (isWhole) throw error;
    return undefined;
  }
  return isWhole ? null : undefined;
}

/**
 * A message once more, with a `delivery-count` in its header that is larger by one (section 3.2.1 of AMQP 1.0). What is no message,
 * or of a format of its own, stays as it is.
 *
 * @param start Its first bytes: with all of the header, where it has one.
 */
export function deliveredAgain(start: Buffer): Buffer {
  /** durable, priority, ttl, first-acquirer */
  const fields: (Buffer | undefined)[] = [undefined, undefined, undefined, undefined];
  let count = 0;
  let rest = start;
  try {
    const decoder = new Decoder(start);
    if (decoder.descriptor() === HEADER) {
      const header = decoder.list();
      for (const i of fields.keys()) fields[i] = header.raw();
      count = header.unsigned() ?? 0;
      rest = decoder.rest();
    }
  } catch {
    return start;
  }
  const encoder = new Encoder();
  encoder.list(HEADER, 5, () => {
    for (const field of fields) encoder.raw(field);
    encoder.uint(count + 1);
  });
  encoder.bytes(rest);
  return encoder.take();
}
