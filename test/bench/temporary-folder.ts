import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Scope } from './scope.ts';

/** A folder for one scope, removed with it. */
export async function temporaryFolder(scope: Scope): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'caravan-bench-'));
  scope.use({ stop: () => rm(folder, { recursive: true, force: true }) });
  return folder;
}
