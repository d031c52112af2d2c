import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where Caravan's scripts keep what is slow to get, for all clones of the project. */
export function cacheFolder() {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'caravan');
}
