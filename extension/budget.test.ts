/** What every window of the editor pays for Caravan, used or not. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';

const MAX_ENTRY_BYTES = 300_000;
/** Aimed at on a machine that is doing nothing else. Milliseconds. */
const AIM_MS = 50;

const entry = join(import.meta.dirname, '..', 'dist', 'extension.cjs');
const stub = join(import.meta.dirname, 'vscode-stub.js');

interface Bundle {
  bytes: number;
  inputs: Record<string, unknown>;
}

describe("the extension's entry", () => {
  let bundle: Bundle;
  before(async () => {
    const script = new URL('../scripts/build.mjs', import.meta.url).href;
    const { buildAll } = (await import(script)) as {
      buildAll: (options: { write: boolean }) => Promise<{ outputs: Record<string, Bundle> }>;
    };
    bundle = (await buildAll({ write: false })).outputs['dist/extension.cjs']!;
  });

  test('is small', () => assert.ok(bundle.bytes < MAX_ENTRY_BYTES, `${bundle.bytes} bytes`));

  test('has no Kubernetes client in it, and no router', () => {
    const foreign = /@kubernetes\/client-node|node-forge|\/ws\/|^runtime\/(router|routing|link|identity|site|cli)\//;
    assert.deepEqual(Object.keys(bundle.inputs).filter((path) => foreign.test(path)), []); // prettier-ignore
  });

  // Other work on the machine must not decide a test: the figure is for people.
  test('loads and activates', { skip: !existsSync(entry) && 'npm run build makes it' }, (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'caravan-budget-'));
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
      const [load, activation] = [loaded - start, performance.now() - loaded];
      context.diagnostic(
        `${(load + activation).toFixed(1)} ms (aim: ${AIM_MS} ms): loads in ${load.toFixed(1)}, activates in ${activation.toFixed(1)}`,
      );
    } finally {
      for (const part of subscriptions) part.dispose();
      hooks.deregister();
      rmSync(folder, { recursive: true });
    }
  });
});
