/** Logs of sites in clusters, with a stand-in for VS Code's documents. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Caravan } from '../caravan.ts';
import type { ClusterRef } from '../sites/site-ref.ts';
import type { Row } from '../views/row.ts';
import type { SiteLogs } from '../views/site-logs.ts';
import type { showLog as ShowLog } from './show-log.ts';
import { standInForVSCode } from './editor-stub.testkit.ts';

interface Editor {
  /** Documents that were opened, by their URI. */
  opened: Record<string, string>;
  close(uri: string): void;
}
const stub = `
let provider;
const closing = [];
const nothing = { dispose() {} };
export const editor = {
  opened: {},
  close: (uri) => closing.forEach((listener) => listener({ uri })),
};
export const Disposable = { from: () => nothing };
export class EventEmitter { fire() {} }
export const ProgressLocation = {};
export const Uri = { from: ({ scheme, path, query }) => scheme + ':' + path + '?' + query };
export const workspace = {
  registerTextDocumentContentProvider: (_, given) => ((provider = given), nothing),
  onDidCloseTextDocument: (listener) => (closing.push(listener), nothing),
  openTextDocument: async (uri) => {
    editor.opened[uri] = provider.provideTextDocumentContent(uri);
    return { lineCount: 1, lineAt: () => ({}) };
  },
};
export const window = {
  showTextDocument: async () => ({ revealRange() {} }),
  withProgress: (_, work) => work({ report() {} }, { onCancellationRequested() {} }),
};`;
const url = standInForVSCode(stub);

let editor: Editor;
let showLog: typeof ShowLog;
let sites: SiteLogs;
before(async () => {
  ({ editor } = (await import(url)) as { editor: Editor });
  ({ showLog } = await import('./show-log.ts'));
  sites = new (await import('../views/site-logs.ts')).SiteLogs();
});

test("a site's log is a document without secrets, whose text goes when it is closed", async () => {
  const operations = { run: (_: string, work: () => unknown) => work() };
  const siteLog = ({ namespace }: ClusterRef) => Promise.resolve(`token: abc of ${namespace}`);
  const caravan = { laptop: {}, operations, kubernetes: () => Promise.resolve({ siteLog }) } as unknown as Caravan;
  const show = async (namespace: string) => {
    const site: ClusterRef = { where: 'cluster', context: 'west', namespace };
    await showLog(caravan, { own: {} as never, sites }, { flags: 'site.cluster', target: { site } } as Row);
    return Object.keys(editor.opened).at(-1)!;
  };
  const [shop, other] = [await show('shop'), await show('other')];
  assert.equal(shop, 'caravan-log:/west∕shop.log?cluster:west/shop');
  assert.deepEqual(Object.values(editor.opened), ['token: [hidden] of shop', 'token: [hidden] of other']);
  editor.close(shop);
  const held = (uri: string) => sites.provideTextDocumentContent(uri as never);
  assert.equal(held(shop), 'Choose "Show Log" at the site again.');
  assert.equal(held(other), editor.opened[other]);
});
