import { existsSync } from 'node:fs';
import { findCommand } from '../../scripts/system-packages.mjs';
import { BROWSERS } from './in-browser.ts';

/** Why no VS Code can be shown to a spec here, for skipping those that need one; undefined where one can. */
export function whyVSCodeCannotRun(): string | undefined {
  if (process.env['CARAVAN_VSCODE'] === 'electron' || BROWSERS.some((name) => findCommand(name))) return undefined;
  const canInstall = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  return canInstall ? undefined : `no browser is found (${BROWSERS.join(', ')}): install chromium, then run again`;
}
