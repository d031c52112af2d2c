import { isPlace, type Place } from '../routing/types.ts';
import { MAX_PAYLOAD_BYTES, ProtocolError } from './frames.ts';

/** What stands before the payload of a datagram: JSON behind its length (2 bytes, big endian). */
export interface DatagramHeader {
  /** Whom it is still to come to. */
  to: Place[];
  /** Where its flow began, and the flow's number there: an answer goes back by these. */
  from: Place;
  flow: number;
  /** Absent from an answer. */
  address?: string;
  port?: number;
  /** To every server there; to one where it is not given. */
  every?: true;
  /** Links that it may still pass. */
  hops: number;
}

/** More members than this are sent to with more than one datagram. */
export const MAX_MEMBERS = 200;
const MAX_HEADER_BYTES = 32 * 1024;
const LENGTH_BYTES = 2;

export function encodeHeader(header: DatagramHeader): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const encoded = Buffer.allocUnsafe(LENGTH_BYTES + json.length);
  encoded.writeUInt16BE(json.length, 0);
  encoded.set(json, LENGTH_BYTES);
  return encoded;
}

/** The header's bytes, as a key of what is known of it, and the payload. Throws a `ProtocolError`. */
export function splitDatagram(body: Buffer): { header: string; payload: Buffer } {
  const length = body.length >= LENGTH_BYTES ? body.readUInt16BE(0) : 0;
  const payload = body.subarray(LENGTH_BYTES + length);
  if (length === 0 || length > MAX_HEADER_BYTES || body.length < LENGTH_BYTES + length)
    throw new ProtocolError('it sends a datagram without a header');
  if (payload.length > MAX_PAYLOAD_BYTES) throw new ProtocolError(`it sends a datagram of more than ${MAX_PAYLOAD_BYTES} bytes`);
  return { header: body.toString('latin1', LENGTH_BYTES, LENGTH_BYTES + length), payload };
}

/** Throws a `ProtocolError`. */
export function decodeHeader(latin1: string): DatagramHeader {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(latin1, 'latin1').toString('utf8'));
  } catch {
    value = undefined;
  }
  const header = (value ?? {}) as Partial<Record<keyof DatagramHeader, unknown>>;
  const { to, from, flow, address, port, every, hops } = header;
  const isAnswer = address === undefined && port === undefined;
  if (
    !Array.isArray(to) ||
    to.length > MAX_MEMBERS ||
    !to.every(isPlace) ||
    !isPlace(from) ||
    !Number.isSafeInteger(flow) ||
    !Number.isInteger(hops) ||
    (every !== undefined && every !== true) ||
    !(isAnswer || (typeof address === 'string' && Number.isInteger(port)))
  )
    throw new ProtocolError('it sends a datagram whose header cannot be read');
  return value as DatagramHeader;
}
