import { findCommand } from '../../scripts/system-packages.mjs';
import { PROGRAMS } from './programs.ts';

/** Why something cannot be measured that needs these programs; undefined where all are there. */
export function whyWithout(...names: (keyof typeof PROGRAMS)[]): string | undefined {
  const missing = names.filter((name) => !findCommand(name));
  const packages = missing.map((name) => PROGRAMS[name].package);
  return missing.length > 0 ? `no ${missing.join(', no ')} here: install ${packages.join(' ')}` : undefined;
}

/** The path of a program. Throws where it is not there, with the package that brings it. */
export function commandPath(name: keyof typeof PROGRAMS): string {
  const path = findCommand(name);
  if (!path) throw new Error(whyWithout(name));
  return path;
}
