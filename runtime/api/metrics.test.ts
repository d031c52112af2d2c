import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeStatus } from '../../test/support/fake-site.ts';
import { metricsText } from './metrics.ts';
import type { ListenerStatus } from './types.ts';

const PROCESS = { residentBytes: 70_000_000, processorSeconds: 1.5 };
const listener: ListenerStatus = {
  name: 'web "one"\\\n',
  address: 'backend',
  type: 'http',
  host: '127.0.0.1',
  port: 8080,
  servicePort: 8080,
  state: 'open',
  source: 'auto',
  connections: 3,
  totals: { connections: 12, requests: 345, unserved: 6 },
};
const lines = (part: Partial<ReturnType<typeof fakeStatus>> = {}) =>
  metricsText({ ...fakeStatus('west'), ...part }, PROCESS).split('\n');

test('every metric has its help and type before its samples, and a name of ours', () => {
  const text = lines({ listeners: [listener] });
  assert.equal(text.at(-1), '', 'the last line ends');
  let current = '';
  for (const line of text.slice(0, -1)) {
    const [, kind, name] = /^# (HELP|TYPE) (\S+) \S/.exec(line) ?? [];
    if (kind === 'HELP') current = name!;
    else if (kind === 'TYPE') assert.equal(name, current);
    else assert.match(line, new RegExp(`^${current}(\\{.*\\})? -?[0-9.e+-]+$`));
    assert.match(current, /^caravan_[a-z_]+$/);
  }
  const types = text.filter((line) => line.startsWith('# TYPE'));
  assert.ok(types.length > 10);
  for (const type of types) assert.equal(type.endsWith(' counter'), type.endsWith('_total counter'), type);
});

test('what a listener counts is told, with its name written out', () => {
  const text = lines({ listeners: [listener] });
  const labels = '{listener="web \\"one\\"\\\\\\n",address="backend",type="http"}';
  for (const line of [
    `caravan_listener_connections${labels} 3`,
    `caravan_listener_connections_total${labels} 12`,
    `caravan_listener_requests_total${labels} 345`,
    `caravan_listener_unserved_total${labels} 6`,
    'caravan_resident_memory_bytes 70000000',
    'caravan_processor_seconds_total 1.5',
  ])
    assert.ok(text.includes(line), `${line} in\n${text.join('\n')}`);
});

test('what is not known is left out, and so is a metric of which nothing is', () => {
  const { totals: _, ...older } = listener;
  assert.ok(!lines({ listeners: [older] }).some((line) => line.includes('caravan_listener_requests_total')));
  assert.ok(!lines({ links: [] }).some((line) => line.includes('caravan_link_')));
});
