import type { Line } from './line.ts';
import { connectorRemoved } from './connector-removed.ts';
import { clientEndsFirst } from './client-ends-first.ts';
import { listenerGating } from './listener-gating.ts';
import { listenerRemoved } from './listener-removed.ts';
import { badTargets } from './bad-targets.ts';
import { payloads } from './payloads.ts';
import type { Protocol } from './protocol.ts';
import { reasonsOfFailure } from './reasons-of-failure.ts';
import { reset } from './reset.ts';
import { serverEndsFirst } from './server-ends-first.ts';
import { serverSpeaksFirst } from './server-speaks-first.ts';
import { shortConnections } from './short-connections.ts';
import { slowReader } from './slow-reader.ts';

/** Declares the tests of one thing that protocols must keep. */
export type Check = (line: Line, protocol: Protocol) => void;

export const CHECK_NAMES = [
  'payloads',
  'server speaks first',
  'client ends first',
  'server ends first',
  'reset',
  'slow reader',
  'short connections',
  'listener gating',
  'bad targets',
  'reasons of failure',
  'connector removed',
  'listener removed',
] as const;
export type CheckName = (typeof CHECK_NAMES)[number];

export const CHECKS: Record<CheckName, Check> = {
  payloads,
  'server speaks first': serverSpeaksFirst,
  'client ends first': clientEndsFirst,
  'server ends first': serverEndsFirst,
  reset,
  'slow reader': slowReader,
  'short connections': shortConnections,
  'listener gating': listenerGating,
  'bad targets': badTargets,
  'reasons of failure': reasonsOfFailure,
  'connector removed': connectorRemoved,
  'listener removed': listenerRemoved,
};

/** Where the time goes into waiting for what does not answer: all protocols wait at once. */
export const WAITING: ReadonlySet<CheckName> = new Set(['bad targets', 'reasons of failure']);
