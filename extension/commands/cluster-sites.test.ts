/** Creating and upgrading sites, with somebody who answers in place of VS Code and of the cluster. */
import assert from 'node:assert/strict';
import { before, beforeEach, describe, test } from 'node:test';
import type { CreateSiteRequest, UpgradeSiteRequest } from '../../runtime/kubernetes/types.ts';
import { VERSION } from '../../runtime/version.ts';
import type { Caravan } from '../caravan.ts';
import type { ContextView } from '../clusters/clusters.ts';
import type { Row } from '../views/row.ts';
import type { Command } from './command.ts';
import { standInForVSCode } from './editor-stub.testkit.ts';

/** What the editor is asked, and what it answers: the choice of that label, else the first, else the next text. */
interface Editor {
  asked: string[];
  told: string[];
  texts: string[];
  label: string;
  settings: Record<string, unknown>;
}
const stub = `
export const editor = { asked: [], told: [], texts: [], label: '', settings: {} };
const text = (prompt, validate) => {
  const next = editor.texts.shift();
  return validate(next) ? Promise.reject(new Error(validate(next))) : Promise.resolve(next);
};
export const ProgressLocation = {};
export const workspace = { getConfiguration: () => ({ get: (name, value) => editor.settings[name] ?? value }) };
export const commands = {};
export const window = {
  showQuickPick: async (choices, { placeHolder }) => 
    (editor.asked.push(placeHolder), choices.find(({ label }) => label === editor.label) ?? choices[0]),
  showInputBox: ({ prompt, validateInput }) => (editor.asked.push(prompt), text(prompt, validateInput)),
  showWarningMessage: async (question, { detail }, yes) => (editor.asked.push(question + ' ' + detail), yes),
  showInformationMessage: async (message) => void editor.told.push(message),
  withProgress: (_, work) => work({ report() {} }, { onCancellationRequested() {} }),
};`;
const url = standInForVSCode(stub);

let editor: Editor;
let createSite: Command;
let upgradeSite: Command;
before(async () => {
  ({ editor } = (await import(url)) as { editor: Editor });
  ({ createSite } = await import('./create-site.ts'));
  ({ upgradeSite } = await import('./upgrade-site.ts'));
});
beforeEach(() => Object.assign(editor, { asked: [], told: [], texts: [], label: '', settings: {} }));

const info = { name: 'west', cluster: 'w', user: 'ada', namespace: 'default', server: 'https://w', current: true, file: '/k' };

function caravan(view: Partial<ContextView>) {
  const made: (CreateSiteRequest | UpgradeSiteRequest)[] = [];
  const make = (request: CreateSiteRequest | UpgradeSiteRequest) => Promise.resolve(void made.push(request));
  const clusters = {
    contexts: [{ info, state: 'answered', ...view }],
    paths: '/k',
    start: () => Promise.resolve(),
    retry: () => Promise.resolve(),
    ref: (context: string, namespace: string) => ({ where: 'cluster', kubeconfig: '/k', context, namespace }),
  };
  const operations = { run: (_: string, work: () => unknown) => work() };
  const kubernetes = () => Promise.resolve({ createSite: make, upgradeSite: make });
  return { made, caravan: { clusters, operations, kubernetes } as unknown as Caravan };
}
const row = (target: Row['target']) => ({ target }) as Row;

describe('creating a site', () => {
  test('asks for a namespace where the own one may not be looked at', async () => {
    const { made, caravan: it } = caravan({ state: 'silent', code: 'forbidden', problem: 'You may not look.' });
    editor.texts = ['shop'];
    await createSite(it, row({ context: 'west' }));
    assert.deepEqual(editor.asked, [
      'In which namespace of west? One that is there, or a new name',
      'How do links of other sites come in?',
    ]);
    const place = { kubeconfig: '/k', context: 'west', namespace: 'shop', name: 'shop' };
    assert.deepEqual(made, [{ ...place, wayIn: 'LoadBalancer', createNamespace: true }]);
  });

  test('does not where the cluster is silent for another reason', async () => {
    const { caravan: it } = caravan({ state: 'silent', code: 'unreachable', problem: 'It refuses connections.' });
    await assert.rejects(createSite(it, row({ context: 'west' })), /It refuses connections/);
  });

  test('takes a name that is there, and one that is new, but not that of a site', async () => {
    const site = { namespace: 'taken', name: 'taken', version: VERSION, ready: true, wayIn: 'none' } as const;
    const { made, caravan: it } = caravan({ found: { sites: [site], namespaces: ['shop', 'taken'] } });
    editor.texts = ['shop', 'new', 'taken'];
    await createSite(it, row({ context: 'west' }));
    await createSite(it, row({ context: 'west' }));
    const asked = (made as CreateSiteRequest[]).map(({ namespace, createNamespace }) => [namespace, createNamespace]);
    assert.deepEqual(asked, [
      ['shop', false],
      ['new', true],
    ]);
    await assert.rejects(createSite(it, row({ context: 'west' })), /holds a site already/);
  });

  test('asks where an Ingress is reached, and for its class', async () => {
    const { made, caravan: it } = caravan({ found: { sites: [], namespaces: ['shop'] } });
    editor.label = 'Ingress';
    for (const texts of [['shop.example.com/caravan', 'nginx'], ['shop.example.com', ''], ['192.0.2.1']]) {
      editor.texts = texts;
      const created = createSite(it, row({ context: 'west', namespace: 'shop' }));
      await (texts.length === 1 ? assert.rejects(created, /A host name such as shop\.example\.com/) : created);
    }
    assert.deepEqual(
      (made as CreateSiteRequest[]).map(({ wayIn, ingress }) => ({ wayIn, ...ingress })),
      [
        { wayIn: 'Ingress', url: 'https://shop.example.com/caravan', className: 'nginx' },
        { wayIn: 'Ingress', url: 'https://shop.example.com' },
      ],
    );
  });

  test('gives routers the image and the pod template of the settings', async () => {
    const { made, caravan: it } = caravan({ found: { sites: [], namespaces: [] } });
    const podTemplate = { spec: { nodeSelector: { arch: 'arm64' } } };
    editor.settings = { image: ' mirror/node:24 ', podTemplate };
    await createSite(it, row({ context: 'west', namespace: 'shop' }));
    assert.partialDeepStrictEqual(made, [{ image: 'mirror/node:24', podTemplate }]);
  });
});

describe('upgrading a site', () => {
  const site = (version: string) => ({ namespace: 'shop', name: 'shop', version, ready: true, wayIn: 'none' }) as const;
  const upgrade = async (version: string, target?: Row['target']) => {
    const { made, caravan: it } = caravan({ found: { sites: [site(version)], namespaces: ['shop'] } });
    await upgradeSite(it, target && row(target));
    return made;
  };

  test('says from which version to which, and keeps what the site has', async () => {
    const made = await upgrade('0.0.9', { context: 'west', namespace: 'shop' });
    assert.ok(editor.asked[0]!.startsWith(`Bring west/shop from v0.0.9 to v${VERSION}? Its router is replaced`), editor.asked[0]);
    assert.deepEqual(made, [{ where: 'cluster', kubeconfig: '/k', context: 'west', namespace: 'shop' }]);
    assert.deepEqual(editor.told, [`The site west/shop runs v${VERSION}.`]);
  });

  test('warns where the site is the newer one', async () => {
    await upgrade('100.0.0', { context: 'west', namespace: 'shop' });
    assert.match(editor.asked[0]!, /The site is newer than this extension/);
  });

  test('asks for the site where no row is meant', async () => {
    await upgrade(VERSION);
    assert.match(editor.asked.join('\n'), /^Which site\?\nApply v\S+ to west\/shop again\?/);
    const { caravan: none } = caravan({ found: { sites: [], namespaces: [] } });
    await assert.rejects(upgradeSite(none), /No namespace holds a site yet/);
  });
});
