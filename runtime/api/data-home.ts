import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where this user's sites keep their data: XDG_DATA_HOME (XDG Base Directory Specification), or the system's place for it. */
export function dataHome(): string {
  const { XDG_DATA_HOME, LOCALAPPDATA } = process.env;
  return join(XDG_DATA_HOME || LOCALAPPDATA || join(homedir(), '.local', 'share'), 'caravan');
}
