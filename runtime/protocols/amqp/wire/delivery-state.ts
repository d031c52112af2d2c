import { Decoder } from './decoder.ts';
import { Encoder } from './encoder.ts';

/** How a delivery ended (section 3.4 of AMQP 1.0). */
export interface Outcome {
  kind: 'accepted' | 'rejected' | 'released' | 'modified';
  /** As it is encoded: with its error, annotations and so on, which go to the sender as they are. */
  state: Buffer;
}

const KINDS = new Map<number, Outcome['kind']>([
  [0x24, 'accepted'],
  [0x25, 'rejected'],
  [0x26, 'released'],
  [0x27, 'modified'],
]);

export const ACCEPTED: Outcome = { kind: 'accepted', state: Buffer.of(0x00, 0x53, 0x24, 0x45) };
export const RELEASED: Outcome = { kind: 'released', state: Buffer.of(0x00, 0x53, 0x26, 0x45) };
/** Given back after somebody may have seen some of it: `delivery-failed` is true. */
export const FAILED: Outcome = { kind: 'modified', state: Buffer.of(0x00, 0x53, 0x27, 0xc0, 0x02, 0x01, 0x41) };

export function rejected(condition: string, description: string): Outcome {
  const encoder = new Encoder();
  encoder.list(0x25, 1, () =>
    encoder.list(0x1d, 2, () => {
      encoder.symbol(condition);
      encoder.string(description);
    }),
  );
  return { kind: 'rejected', state: encoder.take() };
}

/** The outcome that a state is; undefined for states on the way, as `received`, and for those of transactions, which nobody began here. */
export function toOutcome(state: Buffer | undefined): Outcome | undefined {
  if (!state) return undefined;
  const kind = KINDS.get(new Decoder(state).descriptor());
  if (kind === 'accepted') return ACCEPTED;
  return kind && { kind, state };
}
