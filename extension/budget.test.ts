/** What every window of the editor pays for Caravan, used or not. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { activateBundle, entry } from './activation.testkit.ts';

const MAX_ENTRY_BYTES = 300_000;
/** Aimed at on a machine that is doing nothing else. Milliseconds. */
const AIM_MS = 50;

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
    const { loadMs, activateMs } = activateBundle();
    context.diagnostic(
      `${(loadMs + activateMs).toFixed(1)} ms (aim: ${AIM_MS} ms): loads in ${loadMs.toFixed(1)}, activates in ${activateMs.toFixed(1)}`,
    );
  });
});
