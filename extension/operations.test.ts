import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CaravanError } from '../runtime/errors.ts';
import { Cancelled } from './like.ts';
import { Operations } from './operations.ts';

const keep = () => {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  return { lines, log: { debug: write, info: write, warn: write, error: write } };
};

test('an operation is logged with how it ended', async () => {
  const { lines, log } = keep();
  const operations = new Operations(log);
  assert.equal(await operations.run('create site', () => Promise.resolve(1)), 1);
  await assert.rejects(
    operations.run('delete site', () => Promise.reject(new CaravanError('forbidden', 'You may not delete Deployments in shop.'))),
  );
  await assert.rejects(operations.run('link', () => Promise.reject(new Cancelled())));
  assert.match(lines.join('\n'), /create site: done in \d+ ms/);
  assert.match(lines.join('\n'), /delete site: failed after \d+ ms: You may not delete Deployments in shop\./);
  assert.match(lines.join('\n'), /link: cancelled after/);
});
