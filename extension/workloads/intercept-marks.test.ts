import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { MadeResource } from '../../runtime/api/types.ts';
import { InterceptMarks } from './intercept-marks.ts';
import type { InnerConfig } from './launch-config.ts';

const REQUEST = { address: 'backend', port: 3000 };
const MADE: MadeResource = { kind: 'Connector', name: 'intercept-backend-80' };

let calls: string[];
let arrive: () => void;
let marks: InterceptMarks;
let config: InnerConfig;
beforeEach(() => {
  calls = [];
  const making = new Promise<void>((resolve) => (arrive = resolve));
  marks = new InterceptMarks({
    make: async () => {
      calls.push('make');
      await making;
      return MADE;
    },
    remove: async ({ name }) => void calls.push(`remove ${name}`),
  });
  config = marks.marked({ type: 'node', request: 'launch', name: 'Backend' }, REQUEST);
});

describe('the intercept of a debug session', () => {
  test('is there while it runs', async () => {
    arrive();
    await marks.started(config);
    assert.deepEqual(calls, ['make']);
    await marks.ended(config);
    assert.deepEqual(calls, ['make', 'remove intercept-backend-80']);
  });

  test('of a program that ends at once is taken back when it has been made', async () => {
    const started = marks.started(config);
    const ended = marks.ended(config);
    arrive();
    await Promise.all([started, ended]);
    assert.deepEqual(calls, ['make', 'remove intercept-backend-80']);
  });

  test('is made again for a session that is restarted', async () => {
    arrive();
    await marks.started(config);
    await marks.ended(config);
    await marks.started(config);
    assert.deepEqual(calls, ['make', 'remove intercept-backend-80', 'make']);
  });

  test('stays where a restart begins before the end', async () => {
    arrive();
    await marks.started(config);
    await marks.started(config);
    await marks.ended(config);
    assert.deepEqual(calls, ['make']);
  });

  test('is none of a session without a mark', async () => {
    await marks.started({ type: 'node' });
    await marks.ended({ type: 'node' });
    assert.deepEqual(calls, []);
  });
});
