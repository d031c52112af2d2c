import type { ServerResponse } from 'node:http';
import type { SiteControl } from './control.ts';

/** Between two lines of one watcher: changes come in bursts, and nobody reads faster. Milliseconds. */
const LEAST_INTERVAL_MS = 100;
/** An empty line this often tells both ends that the other is still there. Milliseconds. */
export const KEEP_ALIVE_MS = 15_000;

/**
 * Writes the status, one JSON object a line, at once and after every change, until the reader goes away.
 * Nothing is queued for a slow reader: it gets the newest status once it has taken the one before.
 */
export function writeStatusLines(control: SiteControl, response: ServerResponse, keepAliveMs = KEEP_ALIVE_MS): void {
  let changed = true;
  let full = false;
  let last = '';
  let pause: NodeJS.Timeout | undefined;

  const send = () => {
    if (!changed || full || pause || response.writableEnded || response.destroyed) return;
    changed = false;
    const line = JSON.stringify(control.status());
    if (line === last) return;
    last = line;
    full = !response.write(`${line}\n`);
    pause = setTimeout(() => {
      pause = undefined;
      send();
    }, LEAST_INTERVAL_MS);
  };
  const unsubscribe = control.onChange(() => {
    changed = true;
    send();
  });
  const keepAlive = setInterval(() => {
    if (!full && !response.writableEnded) full = !response.write('\n');
  }, keepAliveMs);

  response.on('drain', () => {
    full = false;
    send();
  });
  response.once('close', () => {
    unsubscribe();
    clearInterval(keepAlive);
    clearTimeout(pause);
  });
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  send();
}
