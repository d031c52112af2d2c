import { isPlace, type Place } from '../routing/types.ts';
import { MAX_PAYLOAD_BYTES, ProtocolError } from './frames.ts';

/** What the datagrams of many flows have in common. A flow's number, and the payload, come with each of them. */
export interface DatagramHeader {
  /** Whom it is still to come to. */
  to: Place[];
  /** Where its flow began, and was given its number: an answer goes back there. */
  from: Place;
  /** Absent from an answer. */
  address?: string;
  port?: number;
  /** To every server there; to one where it is not given. */
  every?: true;
  /** Links that it may still pass. */
  hops: number;
}

/** A header, and the JSON that it travels as and is known by. */
export interface EncodedHeader {
  header: DatagramHeader;
  json: string;
}

/** More members than this are sent to with more than one datagram. */
export const MAX_MEMBERS = 200;
/** Flows have numbers from 0 up to below this: 6 bytes. */
export const FLOW_NUMBERS = 2 ** 48;
/** As UDP has it. */
export const MAX_DATAGRAM_BYTES = 0xffff;
const MAX_HEADER_BYTES = 32 * 1024;
const LENGTH_BYTES = 2;

export function encodeHeader(header: DatagramHeader): EncodedHeader {
  return { header, json: JSON.stringify(header) };
}

/** Throws a `ProtocolError`. */
export function decodeHeader(bytes: Buffer): EncodedHeader {
  return encodeHeader(asHeader(parse(bytes)));
}

/** One datagram for a neighbour that knows no labels: the header, with the flow in it, behind its length, and the payload. */
export function encodeDatagram({ header }: EncodedHeader, flow: number, payload: Buffer): Buffer {
  const json = Buffer.from(JSON.stringify({ ...header, flow }));
  const length = Buffer.allocUnsafe(LENGTH_BYTES);
  length.writeUInt16BE(json.length, 0);
  return Buffer.concat([length, json, payload]);
}

/** The counterpart of `encodeDatagram`. Throws a `ProtocolError`. */
export function decodeDatagram(body: Buffer): { header: EncodedHeader; flow: number; payload: Buffer } {
  const length = body.length >= LENGTH_BYTES ? body.readUInt16BE(0) : 0;
  const payload = body.subarray(LENGTH_BYTES + length);
  if (length === 0 || body.length < LENGTH_BYTES + length) throw new ProtocolError('it sends a datagram without a header');
  if (payload.length > MAX_PAYLOAD_BYTES) throw new ProtocolError(`it sends a datagram of more than ${MAX_PAYLOAD_BYTES} bytes`);
  const value = parse(body.subarray(LENGTH_BYTES, LENGTH_BYTES + length));
  const { flow } = value;
  if (!isFlow(flow)) throw new ProtocolError('it sends a datagram of no flow');
  return { header: encodeHeader(asHeader(value)), flow, payload };
}

function parse(bytes: Buffer): { [field: string]: unknown } {
  if (bytes.length > MAX_HEADER_BYTES) throw new ProtocolError(`it sends a header of more than ${MAX_HEADER_BYTES} bytes`);
  try {
    return (JSON.parse(bytes.toString('utf8')) as { [field: string]: unknown } | null) ?? {};
  } catch {
    return {};
  }
}

function isFlow(flow: unknown): flow is number {
  return Number.isInteger(flow) && (flow as number) >= 0 && (flow as number) < FLOW_NUMBERS;
}

/** Made anew: what a neighbour added to it travels no further. */
function asHeader({ to, from, address, port, every, hops }: { [field: string]: unknown }): DatagramHeader {
  const isAnswer = address === undefined && port === undefined;
  if (
    !Array.isArray(to) ||
    to.length > MAX_MEMBERS ||
    !to.every(isPlace) ||
    !isPlace(from) ||
    !Number.isInteger(hops) ||
    (every !== undefined && every !== true) ||
    !(isAnswer || (typeof address === 'string' && Number.isInteger(port)))
  )
    throw new ProtocolError('it sends a datagram whose header cannot be read');
  return {
    to,
    from,
    ...(!isAnswer && { address, port: port as number }),
    ...(every && { every }),
    hops: hops as number,
  };
}
