/** How shells are told an environment variable, so that they take its value as it is. */
export const SHELLS = ['sh', 'fish', 'powershell', 'dotenv'] as const;
export type Shell = (typeof SHELLS)[number];

/** One line a variable, for `eval "$(…)"`, `… | source`, `… | Invoke-Expression`, or a file. */
export function exportLines(variables: Record<string, string>, shell: Shell): string {
  return Object.entries(variables)
    .map(([name, value]) => `${LINE[shell](name, value)}\n`)
    .join('');
}

const LINE: Record<Shell, (name: string, value: string) => string> = {
  sh: (name, value) => `export ${name}='${value.replaceAll("'", String.raw`'\''`)}'`,
  fish: (name, value) => `set -gx ${name} '${value.replaceAll(/[\\']/g, String.raw`\$&`)}'`,
  // PowerShell takes typographic quotes for quotes, too: each is doubled.
  powershell: (name, value) => `$env:${name} = '${value.replaceAll(/['\u2018\u2019\u201a\u201b]/g, '$&$&')}'`,
  dotenv: (name, value) => `${name}=${dotenvValue(value)}`,
};

/** Bare where it can be: `docker run --env-file` would take quotes for a part of the value. */
function dotenvValue(value: string): string {
  if (/^[\w.,:/@%+-]*$/.test(value)) return value;
  if (!/['\n\r]/.test(value)) return `'${value}'`;
  return `"${value
    .replaceAll(/["\\$`]/g, String.raw`\$&`)
    .replaceAll('\n', String.raw`\n`)
    .replaceAll('\r', String.raw`\r`)}"`;
}
