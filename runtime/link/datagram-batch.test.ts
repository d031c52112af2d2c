import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { spoilt } from '../../test/support/bad-bytes.ts';
import { Random } from '../../test/simulation/random.ts';
import { type EncodedHeader, encodeHeader, FLOW_NUMBERS, MAX_DATAGRAM_BYTES } from './datagram.ts';
import { DatagramBatch, DatagramLabels, MAX_LABELS } from './datagram-batch.ts';
import { decodeFrame, FrameType, ProtocolError } from './frames.ts';

/** The two ends of a link: what one gathers the other reads. */
class Wire {
  readonly types: number[] = [];
  readonly read: { address: string | undefined; flow: number; text: string }[] = [];
  readonly labels = new DatagramLabels(({ header: { address } }, flow, payload) =>
    this.read.push({ address, flow, text: payload.toString() }),
  );
  readonly batch = new DatagramBatch((frame) => {
    const { type, stream, body } = decodeFrame(frame);
    assert.equal(stream, 0);
    this.types.push(type);
    if (type === FrameType.label) this.labels.bind(body);
    else this.labels.read(body);
  });
}

function to(address: string): EncodedHeader {
  return encodeHeader({ to: [{ router: 'a' }], from: { router: 'b', edge: 'c' }, address, port: 53, hops: 3 });
}

describe('datagrams gathered in one turn', () => {
  it('are one frame, each with its flow and its length', () => {
    const { batch, types, read } = new Wire();
    const largest = 'x'.repeat(MAX_DATAGRAM_BYTES);
    const sent = [
      { address: 'news', flow: 0, text: '' },
      { address: 'news', flow: FLOW_NUMBERS - 1, text: 'one' },
      { address: 'news', flow: 7, text: 'two' },
    ];
    for (const { flow, text } of sent) batch.add(to('news'), flow, Buffer.from(text));
    assert.equal(read.length, 0, 'the turn goes on');
    batch.flush();
    assert.deepEqual(read, sent);
    batch.flush();
    assert.deepEqual(types, [FrameType.label, FrameType.datagrams], 'nothing is sent where nothing waits');
    batch.add(to('news'), 1, Buffer.from(largest));
    batch.flush();
    assert.equal(read.at(-1)?.text, largest);
    assert.equal(batch.bytes, 0);
  });

  it('do not grow into a frame that others have to wait for', () => {
    const { batch, types, read } = new Wire();
    for (let at = 0; at < 100; at++) batch.add(to('news'), at, Buffer.alloc(1200));
    batch.flush();
    assert.equal(read.length, 100);
    assert.ok(types.length > 100 / 14, `${types.length} frames`);
  });

  it('keep their headers apart when there are more of these than labels', () => {
    const { batch, read } = new Wire();
    const addresses = Array.from({ length: MAX_LABELS + 10 }, (_, at) => `service-${at}`);
    const turns = [...addresses, ...addresses.toReversed(), addresses[0]!, addresses[MAX_LABELS]!];
    for (const [at, address] of turns.entries()) batch.add(to(address), at, Buffer.from(address));
    batch.flush();
    assert.deepEqual(
      read,
      turns.map((address, flow) => ({ address, flow, text: address })),
    );
  });
});

describe('a neighbour that sends what are no datagrams', () => {
  const header = Buffer.from(to('news').json);
  const label = (number: number) => Buffer.from([number >> 8, number & 0xff]);
  const record = Buffer.concat([label(1), Buffer.alloc(6), Buffer.from([0, 2]), Buffer.from('hi')]);
  for (const [what, send] of Object.entries<(labels: DatagramLabels) => void>({
    'a label that it has not bound': (labels) => labels.read(Buffer.concat([label(2), record.subarray(2)])),
    'a datagram without its end': (labels) => labels.read(record.subarray(0, -1)),
    'half the head of one': (labels) => labels.read(record.subarray(0, 5)),
    'more than one frame may have': (labels) => labels.read(Buffer.concat(Array.from({ length: 6000 }, () => record))),
    'a label beyond the last': (labels) => labels.bind(Buffer.concat([label(MAX_LABELS), header])),
    'a label of one byte': (labels) => labels.bind(Buffer.from([1])),
    'a label for what is no header': (labels) => labels.bind(Buffer.concat([label(3), Buffer.from('{"to":[]}')])),
    'a label for what is no JSON': (labels) => labels.bind(Buffer.concat([label(3), Buffer.from('{')])),
  }))
    it(`is found out: ${what}`, () => {
      let read = 0;
      const labels = new DatagramLabels(() => read++);
      labels.bind(Buffer.concat([label(1), header]));
      labels.read(record);
      assert.equal(read, 1);
      assert.throws(() => send(labels), ProtocolError);
    });

  it('is found out, or read, whatever it spoils', () => {
    let refused = 0;
    const bound = Buffer.concat([label(1), header]);
    const records = Buffer.concat([record, record, record]);
    for (let seed = 1; seed <= 3000; seed++) {
      const random = new Random(seed);
      const labels = new DatagramLabels(({ header: { hops } }, flow, payload) => {
        assert.ok(Number.isInteger(hops) && flow < FLOW_NUMBERS && payload.length < records.length * 2, `seed ${seed}`);
      });
      try {
        labels.bind(random.chance(0.5) ? spoilt(bound, random) : bound);
        labels.read(spoilt(records, random));
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw new Error(`seed ${seed}`, { cause: error });
        refused++;
      }
    }
    assert.ok(refused > 1000 && refused < 2900, `${refused} of 3000 refused`);
  });
});
