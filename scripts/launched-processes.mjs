// Ends what a script started: also the grandchildren that made a session of their own, as an extension's processes do.
//
// They are known by a variable in their environment, which children inherit. Process groups and parents do not hold them
// together: VS Code's extension host detaches, and what outlives its parent belongs to init.
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const VARIABLE = 'CARAVAN_LAUNCH';

/**
 * A new mark, within that of the script's own starter, so that whoever ends the outer ends the inner too.
 *
 * @returns {{ mark: string, env: Record<string, string> }} The mark, and the environment variable that carries it.
 */
export function newLaunch() {
  const mark = randomUUID();
  return { mark, env: { [VARIABLE]: `${process.env[VARIABLE] ?? ''} ${mark}`.trim() } };
}

/**
 * Ends every process that carries the mark: asks first, insists after five seconds. Never ends the caller.
 *
 * @param {string} mark From `newLaunch`.
 * @param {number} [pid] The first of them. Needed on Windows, where only a process's tree can be ended.
 */
export async function endLaunch(mark, pid) {
  if (process.platform === 'win32') {
    try {
      execFileSync('taskkill', ['/pid', String(pid), '/T', '/F'], { stdio: 'ignore' });
    } catch {
      // It ended by itself.
    }
    return;
  }
  const insistAt = Date.now() + 5000;
  const asked = new Set();
  for (let left = marked(mark); left.length > 0; left = marked(mark)) {
    const insist = Date.now() > insistAt;
    for (const each of left) {
      if (!insist && asked.has(each)) continue;
      asked.add(each);
      try {
        process.kill(each, insist ? 'SIGKILL' : 'SIGTERM');
      } catch {
        // It ended meanwhile.
      }
    }
    if (Date.now() > insistAt + 5000) throw new Error(`These processes do not end: ${left.join(', ')}`);
    await sleep(50);
  }
}

/**
 * Ends every process that carries the mark at once, for a script that is about to exit and can wait for nothing.
 *
 * @param {string} mark From `newLaunch`.
 */
export function killLaunch(mark) {
  if (process.platform === 'win32') return;
  for (const pid of marked(mark)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended meanwhile.
    }
  }
}

/**
 * @param {string} mark
 * @returns {number[]} The processes that carry it and still run.
 */
function marked(mark) {
  const found = process.platform === 'linux' ? markedInProc(mark) : markedInPs(mark);
  return found.filter((pid) => pid !== process.pid);
}

/** @param {string} mark */
function markedInProc(mark) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        // A zombie has an empty environment.
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(mark);
      } catch {
        return false; // Another user's, or gone.
      }
    })
    .map(Number);
}

/** @param {string} mark */
function markedInPs(mark) {
  return execFileSync('ps', ['-axwwE', '-o', 'pid=,command='], { encoding: 'utf8', maxBuffer: 64 << 20 })
    .split('\n')
    .filter((line) => line.includes(mark))
    .map((line) => Number.parseInt(line, 10));
}
