import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { directoryStore } from './directory-store.ts';

let parent: string;
let folder: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'store-'));
  folder = join(parent, 'not', 'there', 'yet');
});
afterEach(() => rm(parent, { recursive: true, force: true }));

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

describe('a site’s memory in a folder', () => {
  it('reads what was written, and nothing where nothing was', async () => {
    const store = directoryStore(folder);
    assert.equal(await store.read('identity'), undefined);
    await store.write('identity', 'a');
    await store.write('grants/x', 'b');
    await store.write('identity', 'c');
    assert.equal(await store.read('identity'), 'c');
    assert.equal(await directoryStore(folder).read('grants/x'), 'b', 'another run reads it, too');
    await store.remove('identity');
    await store.remove('identity');
    assert.equal(await store.read('identity'), undefined);
  });

  it(
    'is for its user alone, and changes nothing of a folder that was there before',
    { skip: process.platform === 'win32' },
    async () => {
      const store = directoryStore(folder);
      await store.write('identity', 'secret');
      await store.write('grants/x', 'secret');
      const modes = await Promise.all(['', 'identity', 'grants', 'grants/x'].map((name) => modeOf(join(folder, name))));
      assert.deepEqual(modes, ['700', '600', '700', '600']);
      await chmod(parent, 0o755);
      await writeFile(join(parent, 'identity'), 'secret', { mode: 0o644 });
      const there = directoryStore(parent);
      assert.deepEqual(await there.list(''), ['identity']);
      await there.write('identity', 'changed');
      await there.write('grants/x', 'secret');
      assert.deepEqual(
        await Promise.all(['', 'identity', 'grants'].map((name) => modeOf(join(parent, name)))),
        ['755', '600', '700'],
        'it may be somebody’s home',
      );
    },
  );

  it('never shows half an entry, however many write at once', async () => {
    const store = directoryStore(folder);
    const texts = Array.from({ length: 20 }, (_, at) => String.fromCodePoint(97 + at).repeat(200_000));
    await store.write('ports', texts[0]!);
    const writers = { done: false };
    const seen = new Set<string | undefined>();
    const reader = (async () => {
      while (!writers.done) seen.add(await store.read('ports'));
    })();
    await Promise.all(texts.map((text) => store.write('ports', text)));
    writers.done = true;
    await reader;
    assert.ok(seen.size > 0);
    for (const text of seen) assert.ok(texts.includes(text!), 'half an entry was read');
    assert.deepEqual(await readdir(folder), ['ports'], 'no draft is left');
  });

  it('lists entries by prefix, sorted, without drafts of a run that died', async () => {
    const store = directoryStore(folder);
    assert.deepEqual(await store.list(''), []);
    for (const name of ['resources/link-b', 'resources/link-a', 'resources/listener-a', 'identity']) await store.write(name, '');
    await writeFile(join(folder, 'resources', 'link-c.0a1b2c3d.tmp'), 'half');
    assert.deepEqual(await store.list('resources/link-'), ['resources/link-a', 'resources/link-b']);
    assert.deepEqual(await store.list(''), ['identity', 'resources/link-a', 'resources/link-b', 'resources/listener-a']);
  });

  it('lists one level of folders, and nothing that is no entry', async () => {
    const store = directoryStore(folder);
    await store.write('grants/x', '');
    await mkdir(join(folder, 'grants', 'deep'));
    for (const name of ['grants/deep/y', 'Upper', '.lock']) await writeFile(join(folder, name), '');
    assert.deepEqual([await store.list(''), await store.list('grants/')], [['grants/x'], ['grants/x']]);
    assert.deepEqual(await readdir(parent), ['not']);
  });

  it('leaves no draft of what cannot be written', async () => {
    const store = directoryStore(folder);
    await mkdir(join(folder, 'identity'), { recursive: true });
    await assert.rejects(store.write('identity', 'x'));
    assert.deepEqual(await readdir(folder), ['identity']);
  });

  it('may be named with a slash at its end', async () => {
    const store = directoryStore(`${folder}/`);
    await store.write('grants/x', '');
    assert.deepEqual(await store.list('grants/'), ['grants/x']);
  });

  for (const name of ['', '..', '../x', 'a/../../x', '/etc/x', 'a/b/c', '.hidden', 'Upper', 'a b', 'a\0b', 'a/', 'a\\b'])
    it(`has no entry named ${JSON.stringify(name)}`, async () => {
      const store = directoryStore(folder);
      await assert.rejects(store.read(name), /not a name of an entry/);
      await assert.rejects(store.write(name, 'x'), /not a name of an entry/);
      await assert.rejects(store.remove(name), /not a name of an entry/);
      assert.deepEqual(await readdir(parent), []);
    });
});
