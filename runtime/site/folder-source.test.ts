import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { until } from '../../test/support/until.ts';
import { CaravanError } from '../errors.ts';
import { FolderSource } from './folder-source.ts';
import { API_VERSION } from './resources.ts';
import type { WishedState } from './source.ts';

let folder: string;
let source: FolderSource | undefined;
let states: WishedState[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'folder-source-'));
  states = [];
});
afterEach(async () => {
  await source?.close();
  source = undefined;
  await rm(folder, { recursive: true, force: true });
});

function listener(name: string, port = 1): string {
  return `apiVersion: ${API_VERSION}\nkind: Listener\nmetadata: {name: ${name}}\nspec: {routingKey: ${name}, port: ${port}}\n`;
}

function write(file: string, text: string): Promise<void> {
  return writeFile(join(folder, file), text);
}

async function watch(path = folder): Promise<void> {
  source = new FolderSource(path);
  await source.watch((state) => states.push(state));
}

/** Names and ports of the listeners, as last told. */
function listeners(): string {
  return (states.at(-1)?.resources ?? [])
    .map(({ name, spec }) => `${name}:${'port' in spec ? spec.port : ''}`)
    .sort()
    .join(' ');
}

function problems(): string[] {
  return (states.at(-1)?.problems ?? []).map(({ where, message }) => `${where} ${message}`);
}

function told(wanted: string): Promise<unknown> {
  return until(`listeners ${wanted} instead of ${listeners()}`, () => listeners() === wanted, { timeoutMs: 10_000 });
}

describe('a folder of resources', () => {
  it('is read whole at the start: .yaml and .yml, nothing else', async () => {
    await write('b.yml', listener('b'));
    await write('a.yaml', listener('a'));
    await write('notes.txt', 'not: [yaml');
    await write('.a.yaml.swp', 'not: [yaml');
    await watch();
    assert.equal(states.length, 1);
    assert.deepEqual(
      states[0]!.resources.map(({ where }) => where),
      ['a.yaml:1', 'b.yml:1'],
    );
    assert.deepEqual(problems(), []);
  });

  it('follows files that change, come and go', async () => {
    await write('a.yaml', listener('a'));
    await watch();
    await write('b.yaml', listener('b'));
    await told('a:1 b:1');
    await write('a.yaml', listener('a', 2));
    await told('a:2 b:1');
    await rename(join(folder, 'b.yaml'), join(folder, 'c.yaml'));
    await rm(join(folder, 'a.yaml'));
    await told('b:1');
    assert.equal(states.at(-1)!.resources[0]!.where, 'c.yaml:1');
    await rm(join(folder, 'c.yaml'));
    await told('');
  });

  it('keeps what a broken file last said, and takes what is good beside it', async () => {
    await write('a.yaml', `${listener('first')}---\n${listener('second')}`);
    await watch();
    await write('a.yaml', `${listener('first', 7)}---\nkind: [\n`);
    await told('first:7 second:1');
    assert.equal(problems().length, 1);
    assert.match(problems()[0]!, /^a\.yaml:\d+ This is not valid YAML/);
    await write('b.yaml', listener('b'));
    await told('b:1 first:7 second:1');
    await write('a.yaml', listener('first', 8));
    await told('b:1 first:8');
    assert.deepEqual(problems(), []);
  });

  it('says which file it may not read, and keeps what it said', async () => {
    await write('a.yaml', listener('a'));
    await watch();
    await rm(join(folder, 'a.yaml'));
    await mkdir(join(folder, 'a.yaml'));
    await until('a problem', () => problems().length === 1);
    assert.match(problems()[0]!, /^a\.yaml It cannot be read: EISDIR/);
    assert.equal(listeners(), 'a:1');
  });

  it('keeps all it said when it goes away itself', async () => {
    await write('a.yaml', listener('a'));
    await watch();
    await rm(folder, { recursive: true });
    await until('a problem', () => problems().some((problem) => problem.startsWith(folder)));
    assert.equal(listeners(), 'a:1');
  });

  it('is not heard any more after it was closed', async () => {
    await write('a.yaml', listener('a'));
    let heard = 0;
    const first = new FolderSource(folder);
    await first.watch(() => heard++);
    await write('a.yaml', listener('a', 2));
    await first.close();
    // Another source that hears of a later change shows that the first one had time to.
    await watch();
    await write('a.yaml', listener('a', 3));
    await told('a:3');
    assert.equal(heard, 1);
  });
});

describe('who throws at what it is told', () => {
  it('ends nothing, and is told of the next change', async () => {
    await write('a.yaml', listener('a'));
    source = new FolderSource(folder);
    let count = 0;
    await source.watch((state) => {
      states.push(state);
      if (++count === 2) throw new Error('a defect');
    });
    await write('b.yaml', listener('b'));
    await until('the second state', () => count === 2);
    await write('c.yaml', listener('c'));
    await told('a:1 b:1 c:1');
  });
});

describe('a single file of resources', () => {
  it('is followed when an editor replaces it, and its neighbours are not read', async () => {
    await write('site.yaml', listener('a'));
    await write('other.yaml', listener('other'));
    await watch(join(folder, 'site.yaml'));
    assert.equal(listeners(), 'a:1');
    for (const port of [2, 3]) {
      await write('draft', listener('a', port));
      await rename(join(folder, 'draft'), join(folder, 'site.yaml'));
      await told(`a:${port}`);
    }
  });

  it('may be a symbolic link', async () => {
    await write('real', listener('a'));
    await symlink('real', join(folder, 'site.yaml'));
    await watch(join(folder, 'site.yaml'));
    assert.equal(listeners(), 'a:1');
  });

  it('keeps what it said while it is gone', async () => {
    await write('site.yaml', listener('a'));
    await watch(join(folder, 'site.yaml'));
    await rm(join(folder, 'site.yaml'));
    await until('a problem', () => problems().length === 1);
    assert.match(problems()[0]!, /^site\.yaml It cannot be read: ENOENT/);
    assert.equal(listeners(), 'a:1');
    await write('site.yaml', listener('a', 2));
    await told('a:2');
    assert.deepEqual(problems(), []);
  });
});

describe('a path that leads nowhere', () => {
  it('is told at once, in one sentence', async () => {
    const path = join(folder, 'nothing.yaml');
    await assert.rejects(watch(path), (error) => {
      assert.ok(error instanceof CaravanError);
      assert.equal(error.code, 'not-found');
      assert.equal(error.message, `The configuration ${path} cannot be read: there is no such file or folder.`);
      return true;
    });
  });
});
