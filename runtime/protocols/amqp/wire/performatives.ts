import { MAX_NAME_BYTES, MAX_TAG_BYTES } from '../limits.ts';
import { AmqpError, decodeError } from './amqp-error.ts';
import { Decoder } from './decoder.ts';

/** The descriptors of what frames begin with (sections 2.7 and 5.3.3 of AMQP 1.0). */
export const OPEN = 0x10;
export const BEGIN = 0x11;
export const ATTACH = 0x12;
export const FLOW = 0x13;
export const TRANSFER = 0x14;
export const DISPOSITION = 0x15;
export const DETACH = 0x16;
export const END = 0x17;
export const CLOSE = 0x18;
export const SASL_MECHANISMS = 0x40;
export const SASL_INIT = 0x41;
export const SASL_OUTCOME = 0x44;

/** The largest value of AMQP's type uint. */
const MAX_UINT = 2 ** 32 - 1;

export interface Open {
  containerId: string;
  maxFrameSize: number;
  channelMax: number;
  /** Milliseconds. */
  idleTimeout: number | undefined;
}

export interface Begin {
  remoteChannel: number | undefined;
  nextOutgoingId: number;
  incomingWindow: number;
  handleMax: number;
}

/** A link's source or target (sections 3.5.3 and 3.5.4), as far as a router answers it. What is unread stays encoded. */
export interface Terminus {
  address: string | undefined;
  durable: number | undefined;
  expiryPolicy: string | undefined;
  timeout: number | undefined;
  dynamic: boolean;
  capabilities: Buffer | undefined;
  /** Of a source only. */
  outcomes: Buffer | undefined;
}

export const SETTLE = { unsettled: 0, settled: 1, mixed: 2 } as const;

export interface Attach {
  name: string;
  handle: number;
  /** Whether the peer is the receiver of the link. */
  isReceiver: boolean;
  /** One of `SETTLE`. */
  senderSettles: number;
  source: Terminus | undefined;
  target: Terminus | undefined;
  /** The link leads to a coordinator of transactions rather than to a node. */
  isTransaction: boolean;
  initialDeliveryCount: number;
}

export interface Flow {
  nextIncomingId: number | undefined;
  incomingWindow: number;
  nextOutgoingId: number;
  /** None where the flow is of the session alone. */
  handle: number | undefined;
  deliveryCount: number | undefined;
  linkCredit: number | undefined;
  drain: boolean;
  echo: boolean;
}

export interface Transfer {
  handle: number;
  deliveryId: number | undefined;
  format: number;
  settled: boolean | undefined;
  more: boolean;
  aborted: boolean;
  payload: Buffer;
}

export interface Disposition {
  /** Whether the peer is the receiver of the deliveries. */
  isReceiver: boolean;
  first: number;
  last: number;
  settled: boolean;
  state: Buffer | undefined;
}

export interface Detach {
  handle: number;
  closed: boolean;
  error: AmqpError | undefined;
}

export function decodeOpen(fields: Decoder): Open {
  const containerId = required(fields.string(), 'container-id');
  fields.raw();
  return {
    containerId,
    maxFrameSize: fields.unsigned() ?? MAX_UINT,
    channelMax: fields.unsigned() ?? 65_535,
    idleTimeout: fields.unsigned(),
  };
}

export function decodeBegin(fields: Decoder): Begin {
  const remoteChannel = fields.unsigned();
  const nextOutgoingId = uint(fields.unsigned(), 'next-outgoing-id');
  const incomingWindow = uint(fields.unsigned(), 'incoming-window');
  fields.raw();
  return { remoteChannel, nextOutgoingId, incomingWindow, handleMax: fields.unsigned() ?? MAX_UINT };
}

export function decodeAttach(fields: Decoder): Attach {
  const name = named(required(fields.string(), 'name'), 'the name of a link');
  const handle = uint(fields.unsigned(), 'handle');
  const isReceiver = required(fields.boolean(), 'role');
  const senderSettles = fields.unsigned() ?? SETTLE.mixed;
  fields.raw();
  const source = decodeTerminus(fields.raw());
  const target = fields.raw();
  fields.raw();
  fields.raw();
  const initialDeliveryCount = fields.unsigned();
  const isTransaction = target !== undefined && new Decoder(target).descriptor() === 0x30;
  return {
    name,
    handle,
    isReceiver,
    senderSettles,
    source,
    target: isTransaction ? undefined : decodeTerminus(target),
    isTransaction,
    initialDeliveryCount: isReceiver ? 0 : uint(initialDeliveryCount, 'initial-delivery-count'),
  };
}

export function decodeFlow(fields: Decoder): Flow {
  const nextIncomingId = fields.unsigned();
  const incomingWindow = uint(fields.unsigned(), 'incoming-window');
  const nextOutgoingId = uint(fields.unsigned(), 'next-outgoing-id');
  fields.raw();
  const handle = fields.unsigned();
  const deliveryCount = fields.unsigned();
  const linkCredit = fields.unsigned();
  fields.raw();
  const drain = fields.boolean() ?? false;
  return {
    nextIncomingId,
    incomingWindow,
    nextOutgoingId,
    handle,
    deliveryCount,
    linkCredit,
    drain,
    echo: fields.boolean() ?? false,
  };
}

/** @param rest What the frame has behind the performative. */
export function decodeTransfer(fields: Decoder, rest: Buffer): Transfer {
  const handle = uint(fields.unsigned(), 'handle');
  const deliveryId = fields.unsigned();
  if ((fields.binaryLength() ?? 0) > MAX_TAG_BYTES) throw decodeError(`a delivery's tag is longer than ${MAX_TAG_BYTES} bytes`);
  const format = fields.unsigned() ?? 0;
  const settled = fields.boolean();
  const more = fields.boolean() ?? false;
  fields.raw();
  fields.raw();
  fields.raw();
  return { handle, deliveryId, format, settled, more, aborted: fields.boolean() ?? false, payload: rest };
}

export function decodeDisposition(fields: Decoder): Disposition {
  const isReceiver = required(fields.boolean(), 'role');
  const first = uint(fields.unsigned(), 'first');
  const last = fields.unsigned() ?? first;
  const settled = fields.boolean() ?? false;
  return { isReceiver, first, last, settled, state: fields.raw() };
}

export function decodeDetach(fields: Decoder): Detach {
  const handle = uint(fields.unsigned(), 'handle');
  const closed = fields.boolean() ?? false;
  return { handle, closed, error: decodeReason(fields.raw()) };
}

/** The error of an end or a close. */
export function decodeEnding(fields: Decoder): AmqpError | undefined {
  return decodeReason(fields.raw());
}

function decodeReason(value: Buffer | undefined): AmqpError | undefined {
  if (!value) return undefined;
  const decoder = new Decoder(value);
  if (decoder.descriptor() !== 0x1d) return new AmqpError('amqp:internal-error', 'no reason was given');
  const fields = decoder.list();
  const condition = fields.symbol() ?? 'amqp:internal-error';
  return new AmqpError(condition, (fields.string() ?? 'no reason was given').slice(0, 500));
}

function decodeTerminus(value: Buffer | undefined): Terminus | undefined {
  if (!value) return undefined;
  const decoder = new Decoder(value);
  const descriptor = decoder.descriptor();
  if (descriptor !== 0x28 && descriptor !== 0x29) throw decodeError('a source or target is neither');
  const fields = decoder.list();
  const address = fields.string();
  if (address !== undefined) named(address, 'an address');
  const durable = fields.unsigned();
  const expiryPolicy = fields.symbol();
  const timeout = fields.unsigned();
  const dynamic = fields.boolean() ?? false;
  fields.raw();
  if (descriptor === 0x29)
    return { address, durable, expiryPolicy, timeout, dynamic, capabilities: fields.raw(), outcomes: undefined };
  // distribution-mode, filter, default-outcome: a router keeps nothing to browse or to select from.
  for (let i = 0; i < 3; i++) fields.raw();
  const outcomes = fields.raw();
  return { address, durable, expiryPolicy, timeout, dynamic, capabilities: fields.raw(), outcomes };
}

function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw decodeError(`the field ${name} is missing`);
  return value;
}

function uint(value: number | undefined, name: string): number {
  const number = required(value, name);
  if (number > MAX_UINT) throw decodeError(`the field ${name} is too large`);
  return number;
}

function named(value: string, what: string): string {
  if (Buffer.byteLength(value) > MAX_NAME_BYTES) throw decodeError(`${what} is longer than ${MAX_NAME_BYTES} bytes`);
  return value;
}
