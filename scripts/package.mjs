// `npm run package`: builds and packs the extension into caravan-VERSION.vsix, and says how large it is.
//
//   node scripts/package.mjs [FILE]
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { ensureDependencies, projectNode, root } from './dependencies.mjs';
import { spawnSync } from 'node:child_process';

await ensureDependencies();
// On the project's own Node: vsce needs a newer one than many machines have.
if (process.env.CARAVAN_PACKAGE !== 'inner') {
  const env = { ...process.env, CARAVAN_PACKAGE: 'inner' };
  process.exit(spawnSync(projectNode(), process.argv.slice(1), { stdio: 'inherit', env }).status ?? 1);
}
const { buildAll } = await import('./build.mjs');
const { packageVsix } = await import('./vsix.mjs');
const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
const vsix = process.argv[2] ?? `${root}/caravan-${version}.vsix`;
mkdirSync(dirname(vsix), { recursive: true });
await buildAll();
packageVsix(root, vsix);
console.log(`${vsix}  ${(statSync(vsix).size / 1024).toFixed(0)} KB`);
