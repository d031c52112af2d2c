/** The extension against a stand-in for VS Code: what the manifest promises is there, and nothing is asked of anybody. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

const root = join(import.meta.dirname, '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
const folder = mkdtempSync(join(tmpdir(), 'caravan-extension-'));
const stub = 'data:text/javascript,' + encodeURIComponent(readFileSync(join(import.meta.dirname, 'vscode-stub.js'), 'utf8'));
const loads: string[] = [];
const hooks = registerHooks({
  resolve(specifier, context, next) {
    if (/\/kubernetes\/index\.ts$|^yaml$/.test(specifier)) loads.push(specifier);
    return specifier === 'vscode' ? { url: stub, format: 'module', shortCircuit: true } : next(specifier, context);
  },
});
after(() => {
  hooks.deregister();
  rmSync(folder, { recursive: true });
});

interface Manifest {
  icon: string;
  contributes: {
    commands: { command: string; title: string }[];
    menus: Record<string, { command: string; when?: string }[]>;
    views: Record<string, { id: string }[]>;
    viewsContainers: { activitybar: { icon: string }[] };
    viewsWelcome: { view: string; contents: string }[];
    walkthroughs: { steps: { media: { markdown: string } }[] }[];
  };
}

describe('the extension', () => {
  const subscriptions: { dispose(): unknown }[] = [];
  let registered: Set<string>;
  let views: Set<string>;
  before(async () => {
    process.env['CARAVAN_RUNTIME_DIR'] = join(folder, 'run');
    const vscode = (await import(stub)) as { registered: Set<string>; views: Set<string> };
    const { activate } = await import('./extension.ts');
    const uri = { fsPath: folder };
    activate({
      subscriptions,
      extensionUri: uri,
      globalStorageUri: uri,
      environmentVariableCollection: {},
      globalState: { get: (_: string, value: unknown) => value },
    } as never);
    ({ registered, views } = vscode);
  });
  after(() => subscriptions.forEach((part) => part.dispose()));

  test('registers every command that the manifest contributes, and no other', () => {
    assert.deepEqual([...registered].sort(), manifest.contributes.commands.map(({ command }) => command).sort());
  });
  test('provides every view', () => {
    assert.deepEqual([...views].sort(), manifest.contributes.views['caravan']?.map(({ id }) => id).sort());
  });
  test('loads no Kubernetes client before a view is visible, and no YAML before a manifest is', () =>
    assert.deepEqual(loads, []));
});

describe('the manifest', () => {
  const { commands, menus, viewsContainers, viewsWelcome, walkthroughs } = manifest.contributes;
  const ids = new Set(commands.map(({ command }) => command));
  const texts = JSON.parse(readFileSync(join(root, 'package.nls.json'), 'utf8')) as Record<string, string>;

  test('names known commands in menus and texts', () => {
    for (const { command } of Object.values(menus).flat()) assert.ok(ids.has(command), command);
    for (const text of Object.values(texts))
      for (const [, command] of text.matchAll(/command:(caravan\.\w+)(?!\w|\.)/g)) assert.ok(ids.has(command!), command);
  });
  test('has a text for every key, and no text without one', () => {
    const used = [...JSON.stringify(manifest).matchAll(/%([\w.]+)%/g)].map(([, key]) => key!);
    assert.deepEqual([...new Set(used)].sort(), Object.keys(texts).sort());
  });
  test('has every file that it names', () => {
    const media = walkthroughs.flatMap(({ steps }) => steps.map((step) => step.media.markdown));
    for (const path of [manifest.icon, ...viewsContainers.activitybar.map(({ icon }) => icon), ...media])
      assert.ok(existsSync(join(root, path)), path);
  });
  test('welcomes in views that exist', () => {
    for (const { view } of viewsWelcome)
      assert.ok(
        manifest.contributes.views['caravan']?.some(({ id }) => id === view),
        view,
      );
  });
});
