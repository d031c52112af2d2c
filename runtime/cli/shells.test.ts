/** What is exported, as real shells understand it. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { parseEnv } from 'node:util';
import { exportLines, type Shell } from './shells.ts';

const VALUES: Record<string, string> = {
  PLAIN: '127.0.0.1',
  URL: 'socks5h://127.0.0.1:1080',
  EMPTY: '',
  SPACES: ' two  words ',
  SINGLE: "it's 'so'",
  DOUBLE: 'say "so"',
  BACKSLASH: String.raw`a\b\\c\'d`,
  EXPANDED: '$HOME ${HOME} $(id) `id` %PATH% !1 ~ * # ; & |',
  TYPOGRAPHIC: '\u2018so\u2019',
  UNICODE: 'ä→\u{1F680}',
};

/** A program of a shell that prints what this Node finds in its environment. */
const SHOW = `"${process.execPath}" -p "JSON.stringify(process.env)"`;
const PROGRAMS: { name: string; shell: Shell; command: string; args: string[]; run: (script: string) => string }[] = [
  ...['sh', 'dash', 'bash', 'zsh', 'busybox'].map((name) => ({
    name,
    shell: 'sh' as const,
    command: name,
    args: name === 'busybox' ? ['sh', '-c'] : ['-c'],
    run: (script: string) => `${script}\n${SHOW}`,
  })),
  { name: 'fish', shell: 'fish', command: 'fish', args: ['--no-config', '-c'], run: (script) => `${script}\n${SHOW}` },
  {
    name: 'pwsh',
    shell: 'powershell',
    command: 'pwsh',
    args: ['-NoProfile', '-NonInteractive', '-Command'],
    run: (script) => `${script}\n& ${SHOW}`,
  },
];

describe('every value arrives as it is', () => {
  // Those that this machine has; sh is everywhere but on Windows.
  for (const { name, shell, command, args, run } of PROGRAMS.filter((program) => isInstalled(program.command)))
    test(`in ${name}`, () => {
      const script = run(exportLines(VALUES, shell));
      const seen = JSON.parse(execFileSync(command, [...args, script], { encoding: 'utf8' })) as Record<string, string>;
      for (const [variable, value] of Object.entries(VALUES))
        // In PowerShell an empty variable is none.
        assert.equal(seen[variable] ?? '', value, variable);
    });

  test('in a .env file', () => assert.deepEqual({ ...parseEnv(exportLines(VALUES_OF_DOTENV, 'dotenv')) }, VALUES_OF_DOTENV));
});

/** Readers of such files agree on no way to write a single quote: only what they agree on is asked. */
const { SINGLE: _single, BACKSLASH: _backslash, ...VALUES_OF_DOTENV } = VALUES;

describe('what is written', () => {
  const variables = { A: '127.0.0.1', B: "it's" };
  for (const [shell, text] of [
    ['sh', `export A='127.0.0.1'\nexport B='it'\\''s'\n`],
    ['fish', `set -gx A '127.0.0.1'\nset -gx B 'it\\'s'\n`],
    ['powershell', `$env:A = '127.0.0.1'\n$env:B = 'it''s'\n`],
    ['dotenv', `A=127.0.0.1\nB="it's"\n`],
  ] as const)
    test(`for ${shell}`, () => assert.equal(exportLines(variables, shell), text));
});

function isInstalled(command: string): boolean {
  return spawnSync(process.platform === 'win32' ? 'where' : 'which', [command]).status === 0;
}
