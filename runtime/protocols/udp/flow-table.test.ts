import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { stoppedClock } from '../../../test/support/stopped-clock.ts';
import { EXCHANGE_IDLE_MS, FLOW_IDLE_MS, FlowTable, type FlowUse, newUse, SWEEP_EVERY_MS } from './flow-table.ts';

interface Named extends FlowUse {
  name: string;
}

function tableOf(t: TestContext, most: number) {
  const pass = stoppedClock(t, SWEEP_EVERY_MS);
  const ended: string[] = [];
  let timesFull = 0;
  const table = new FlowTable<Named>(most, { end: ({ name }) => ended.push(name), full: () => timesFull++ });
  t.after(() => table.close());
  const flows = new Map<string, Named>();
  const ask = (name: string, port = 5000) => {
    const flow = table.get(name) ?? { ...newUse(port), name };
    if (!table.get(name)) table.add(name, flow);
    flows.set(name, flow);
    table.asked(name, flow);
  };
  const answer = (name: string) => table.answered(name, flows.get(name)!);
  return { table, ended, pass, ask, answer, full: () => timesFull };
}

describe('flows of datagrams', () => {
  it('that find no room take that of the one that was silent longest', (t) => {
    const { table, ended, ask, answer, pass, full } = tableOf(t, 3);
    for (const name of ['a', 'b', 'c']) ask(name);
    // Those that are in use all the time, each way, also faster than they move.
    for (let passed = 0; passed < 3000; passed += 300) {
      pass(300);
      ask('a');
      answer('b');
    }
    assert.deepEqual([ended, full()], [[], 0]);
    ask('d');
    assert.deepEqual([ended, full(), table.size], [['c'], 1, 3]);
    ask('e');
    assert.equal(full(), 2);
    assert.equal(ended.length, 2);
    assert.equal(table.size, 3);
  });

  it('last two minutes; on well-known ports shorter where a question or two had their answers', (t) => {
    const { ended, ask, answer, pass } = tableOf(t, 100);
    for (const [name, port] of [
      ['one', 53],
      ['two', 53],
      ['unanswered', 53],
      ['long', 53],
      ['high', 5353],
    ] as const)
      for (let count = 0; count < (name === 'two' ? 2 : name === 'long' ? 3 : 1); count++) {
        ask(name, port);
        if (name !== 'unanswered') answer(name);
      }
    pass(EXCHANGE_IDLE_MS - 1);
    assert.deepEqual(ended, []);
    pass(1);
    assert.deepEqual(ended, ['one', 'two']);
    pass(FLOW_IDLE_MS - EXCHANGE_IDLE_MS - 1);
    assert.deepEqual(ended, ['one', 'two']);
    pass(1);
    assert.deepEqual(new Set(ended), new Set(['one', 'two', 'unanswered', 'long', 'high']));
  });

  it('that are over are not taken for the next of the same client', (t) => {
    const { table, ended, ask, answer } = tableOf(t, 2);
    ask('a');
    const before = table.get('a')!;
    table.forget('a', before);
    assert.equal(table.size, 0);
    ask('a');
    const after = table.get('a');
    table.forget('a', before);
    assert.equal(table.get('a'), after);
    answer('a');
    table.close();
    assert.deepEqual([ended, table.size], [['a'], 0]);
  });
});
