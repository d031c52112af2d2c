import { realpathSync } from 'node:fs';

/** What this very process runs: another one of it runs the same. A link to it may be gone before that process is. */
export function ownScript(): string {
  return realpathSync(process.argv[1]!);
}
