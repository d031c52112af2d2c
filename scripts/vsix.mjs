import { spawnSync } from 'node:child_process';
import { projectNode, root } from './dependencies.mjs';

const vsce = `${root}/node_modules/@vscode/vsce/vsce`;

/**
 * Packages an extension's folder as it is: builds nothing. Takes about a second.
 *
 * @param {string} folder Where its package.json is.
 * @param {string} vsix The file to write.
 * @throws {Error} With what vsce says.
 */
export function packageVsix(folder, vsix) {
  const args = [
    'package',
    '--no-dependencies',
    '--allow-missing-repository',
    '--skip-license',
    '--no-rewrite-relative-links',
    '--out',
    vsix,
  ];
  const { status, stdout, stderr } = spawnSync(projectNode(), [vsce, ...args], { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${folder} could not be packaged: ${(stderr || stdout).trim()}`);
}
