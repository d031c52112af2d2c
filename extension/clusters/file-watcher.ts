import { existsSync, type FSWatcher, type Stats, unwatchFile, watch, watchFile } from 'node:fs';
import { basename, dirname } from 'node:path';
import { debounce } from '../emitter.ts';
import type { DisposableLike } from '../like.ts';

export interface FileWatchOptions {
  /** A tool that writes a file in several steps causes one call. */
  debounceMs?: number;
  /** Where a folder is missing, or its file system tells nothing, the files are looked at this often. */
  pollMs?: number;
}

/** Calls back after files of a folder came or went. A folder that is not there yet is not watched: poll besides. */
export function watchFolder(folder: string, changed: () => void, debounceMs = 100): DisposableLike {
  const notify = debounce(changed, debounceMs);
  const watcher = tryWatch(folder, notify);
  return {
    dispose() {
      notify.dispose();
      watcher?.close();
    },
  };
}

/**
 * Calls back after any of the files was written, made, removed, or replaced by a rename. Folders are watched, not files: a watch
 * of a file follows the old one after a rename.
 */
export function watchFiles(paths: readonly string[], changed: () => void, options: FileWatchOptions = {}): DisposableLike {
  const notify = debounce(changed, options.debounceMs ?? 300);
  const names = new Set(paths.map((path) => basename(path)));
  // Of a file that is missing from the start, it tells once although nothing changed.
  const poll = (now: Stats, before: Stats) => {
    if (now.mtimeMs !== before.mtimeMs || now.ino !== before.ino || now.size !== before.size) notify();
  };
  const folders = new Set(paths.map((path) => dirname(path)));
  const watchers = [...folders].map((folder) => tryWatch(folder, (name) => (name === null || names.has(name)) && notify()));
  for (const path of paths) watchFile(path, { interval: options.pollMs ?? 3000, persistent: false }, poll);
  return {
    dispose() {
      notify.dispose();
      for (const watcher of watchers) watcher?.close();
      for (const path of paths) unwatchFile(path, poll);
    },
  };
}

/** Undefined where the folder is not there, no watches are left, or its file system has none: polling does then. */
function tryWatch(folder: string, changed: (name: string | null) => void): FSWatcher | undefined {
  if (!existsSync(folder)) return undefined;
  try {
    const watcher = watch(folder, { persistent: false }, (_, name) => changed(name));
    return watcher.on('error', () => watcher.close());
  } catch {
    return undefined;
  }
}
