import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { watchFiles } from './file-watcher.ts';

const folder = mkdtempSync(join(tmpdir(), 'caravan-watch-'));
after(() => rmSync(folder, { recursive: true }));

/** Runs `change` and waits for the call back. */
async function called(paths: string[], change: () => void): Promise<number> {
  let calls = 0;
  const watcher = watchFiles(paths, () => calls++, { debounceMs: 20, pollMs: 50 });
  await sleep(120);
  calls = 0;
  change();
  for (let waited = 0; waited < 3000; waited += 20) {
    if (calls > 0) break;
    await sleep(20);
  }
  watcher.dispose();
  return calls;
}

describe('kubeconfig files', () => {
  const path = join(folder, 'config');
  test('a new file is seen', async () => assert.ok(await called([path], () => writeFileSync(path, 'a'))));
  test('a changed file is seen', async () => assert.ok(await called([path], () => writeFileSync(path, 'longer'))));
  test('a file replaced by a rename is seen', async () => {
    writeFileSync(`${path}.new`, 'replaced');
    assert.ok(await called([path], () => renameSync(`${path}.new`, path)));
  });
  test('a removed file is seen', async () => assert.ok(await called([path], () => rmSync(path))));
  test('a file in a folder that does not exist yet is seen', async () => {
    const later = join(folder, 'later', 'config');
    const change = () => {
      mkdirSync(join(folder, 'later'));
      writeFileSync(later, 'a');
    };
    assert.ok(await called([join(folder, 'other'), later], change));
  });
});
