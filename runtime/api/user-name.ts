import { userInfo } from 'node:os';

/** The name of whoever runs this process. A user without an entry in the system's list, as containers have them, has one all the same. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env['USER'] || 'my';
  }
}
