import { type EncodedHeader, decodeHeader } from './datagram.ts';
import { encodeFrame, FrameType, HEADER_BYTES, MAX_PAYLOAD_BYTES, ProtocolError } from './frames.ts';

/**
 * Datagrams of one turn of the event loop are one frame: each as a label (2 bytes), its flow (6), the payload's length (2), and the payload. A
 * label stands for a header, as in MPLS (RFC 3031); a frame of its own binds it, before the first datagram that carries it.
 */
const LABEL_BYTES = 2;
const FLOW_BYTES = 6;
const LENGTH_BYTES = 2;
const RECORD_BYTES = LABEL_BYTES + FLOW_BYTES + LENGTH_BYTES;
/** Labels of one link and direction. A further header takes the one that was bound first. */
export const MAX_LABELS = 1024;
/** A frame is sent when it would grow beyond this: one record of TLS. Bytes. */
const BATCH_BYTES = 16 * 1024;

interface Datagram {
  label: number;
  flow: number;
  payload: Buffer;
}

/** The datagrams that wait for the end of the turn. */
export class DatagramBatch {
  readonly #push: (frame: Buffer) => void;
  /** By the header's JSON. */
  readonly #labels = new Map<string, number>();
  /** What each label is bound to. */
  readonly #bound: string[] = [];
  #nextLabel = 0;
  #waiting: Datagram[] = [];
  bytes = 0;

  /** `push` takes the frames, which have to keep their order. */
  constructor(push: (frame: Buffer) => void) {
    this.#push = push;
  }

  add({ json }: EncodedHeader, flow: number, payload: Buffer): void {
    const bytes = RECORD_BYTES + payload.length;
    if (this.bytes + bytes > BATCH_BYTES) this.flush();
    const label = this.#labels.get(json) ?? this.#bind(json);
    this.#waiting.push({ label, flow, payload });
    this.bytes += bytes;
  }

  flush(): void {
    if (this.#waiting.length === 0) return;
    const frame = Buffer.allocUnsafe(HEADER_BYTES + this.bytes);
    frame[0] = FrameType.datagrams;
    let at = frame.writeUInt32BE(0, 1);
    for (const { label, flow, payload } of this.#waiting) {
      at = frame.writeUInt16BE(label, at);
      at = frame.writeUIntBE(flow, at, FLOW_BYTES);
      at = frame.writeUInt16BE(payload.length, at);
      frame.set(payload, at);
      at += payload.length;
    }
    this.#waiting = [];
    this.bytes = 0;
    this.#push(frame);
  }

  #bind(json: string): number {
    // What waits may carry the label's former meaning.
    this.flush();
    const label = this.#nextLabel;
    this.#nextLabel = (label + 1) % MAX_LABELS;
    const before = this.#bound[label];
    if (before !== undefined) this.#labels.delete(before);
    this.#bound[label] = json;
    this.#labels.set(json, label);
    const body = Buffer.from(`\0\0${json}`);
    body.writeUInt16BE(label, 0);
    this.#push(encodeFrame(FrameType.label, 0, body));
    return label;
  }
}

/** The labels that a neighbour has bound. */
export class DatagramLabels {
  readonly #each: (header: EncodedHeader, flow: number, payload: Buffer) => void;
  readonly #headers: EncodedHeader[] = [];

  /** `each` is called for every datagram that is read. */
  constructor(each: (header: EncodedHeader, flow: number, payload: Buffer) => void) {
    this.#each = each;
  }

  /** Throws a `ProtocolError`. */
  bind(body: Buffer): void {
    const label = body.length < LABEL_BYTES ? MAX_LABELS : body.readUInt16BE(0);
    if (label >= MAX_LABELS) throw new ProtocolError(`it binds a label that is none of the ${MAX_LABELS}`);
    this.#headers[label] = decodeHeader(body.subarray(LABEL_BYTES));
  }

  /** Throws a `ProtocolError`. */
  read(body: Buffer): void {
    if (body.length > RECORD_BYTES + MAX_PAYLOAD_BYTES)
      throw new ProtocolError(`it sends more than ${MAX_PAYLOAD_BYTES} bytes of datagrams in one frame`);
    for (let at = 0; at < body.length;) {
      const start = at + RECORD_BYTES;
      const end = start <= body.length ? start + body.readUInt16BE(start - LENGTH_BYTES) : Infinity;
      if (end > body.length) throw new ProtocolError('it sends a datagram that is cut off');
      const header = this.#headers[body.readUInt16BE(at)];
      if (!header) throw new ProtocolError('it sends a datagram with a label that it has not bound');
      this.#each(header, body.readUIntBE(at + LABEL_BYTES, FLOW_BYTES), body.subarray(start, end));
      at = end;
    }
  }
}
