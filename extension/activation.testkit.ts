import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What an editor loads. `npm run build` makes it. */
export const entry = join(import.meta.dirname, '..', 'dist', 'extension.cjs');
const stub = join(import.meta.dirname, 'vscode-stub.js');

/** Loads and activates the bundle with a stand-in for VS Code, and lets go of it again. Once in a process: it stays loaded. */
export function activateBundle(): { loadMs: number; activateMs: number } {
  const folder = mkdtempSync(join(tmpdir(), 'caravan-activation-'));
  process.env['CARAVAN_RUNTIME_DIR'] = join(folder, 'run');
  const hooks = registerHooks({
    resolve: (specifier, how, next) =>
      specifier === 'vscode' ? { url: pathToFileURL(stub).href, format: 'module', shortCircuit: true } : next(specifier, how),
  });
  const require = createRequire(import.meta.url);
  require(stub); // not part of what is measured
  const subscriptions: { dispose(): unknown }[] = [];
  const uri = { fsPath: folder };
  const globalState = { get: (_: string, value: unknown) => value };
  try {
    const start = performance.now();
    const { activate } = require(entry) as { activate: (context: unknown) => void };
    const loaded = performance.now();
    activate({ subscriptions, extensionUri: uri, globalStorageUri: uri, globalState, environmentVariableCollection: {} });
    return { loadMs: loaded - start, activateMs: performance.now() - loaded };
  } finally {
    for (const part of subscriptions) part.dispose();
    hooks.deregister();
    rmSync(folder, { recursive: true });
  }
}
