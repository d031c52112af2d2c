// `npm start`: opens VS Code with Caravan and an embedded network, on a fresh clone. Runs on any Node from 20 on.
//
//   node scripts/start.mjs [--port N] [--no-open]
//
// It is the user's own VS Code where `code` is on PATH and there is a screen, and code-server otherwise: VS Code in a browser.
//   --port N     VS Code in a browser, at this port. Default: the system chooses one.
//   --no-open    VS Code in a browser, and the address is only printed.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startCodeServer } from './code-server.mjs';
import { ensureDependencies, root } from './dependencies.mjs';
import { findDesktop, startDesktop } from './desktop.mjs';
import { endLaunch, newLaunch } from './launched-processes.mjs';

const { port, isBrowserWanted, isAddressEnough } = readArguments();
await ensureDependencies();

// Short: sockets are made below it, and their paths have room for 107 letters.
const dir = mkdtempSync(join(tmpdir(), 'caravan-'));
const launch = newLaunch();
Object.assign(process.env, launch.env);
let isOpen = false;
/** @type {Promise<void> | undefined} */
let ending;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void end(isOpen ? 0 : 130));
// npm passes a signal on to the shell between, which ends and tells nobody.
const parent = process.ppid;
if (process.env.npm_lifecycle_event)
  setInterval(() => {
    if (process.ppid !== parent) void end(0);
  }, 500).unref();

try {
  console.log('Building Caravan.');
  const { buildAll } = await import('./build.mjs');
  await buildAll();
  const editor = await open();
  isOpen = true;
  await editor.ended;
  if (!ending && editor.url) console.error('VS Code has ended.');
  await end(editor.url ? 1 : 0);
} catch (error) {
  if (!ending) console.error(`start: ${whatWentWrong(error)}`);
  await end(1);
}

/** @returns {Promise<{ url?: string, ended: Promise<unknown> }>} */
async function open() {
  const folder = join(dir, 'caravan-demo');
  cpSync(join(root, 'media', 'demo-workspace'), folder, { recursive: true });
  const env = { CARAVAN_DEMO: '1' };
  const userDataDir = join(dir, 'vscode');
  const desktop = isBrowserWanted ? undefined : findDesktop(console.log);
  if (desktop) {
    const { ended } = startDesktop(desktop, { folder, userDataDir, env });
    console.log('Caravan is open in VS Code. Close its window, or press Ctrl+C here, to end it.');
    return { ended };
  }
  const server = await startCodeServer({ folder, extensions: [root], userDataDir, port, env, log: console.log });
  console.log(`Caravan is open in VS Code at ${server.url}`);
  console.log('Ctrl+C ends it.');
  if (!isAddressEnough) openBrowser(server.url);
  return server;
}

/**
 * Ends everything that was started, with all that it started itself.
 *
 * @param {number} code
 */
async function end(code) {
  ending ??= (async () => {
    await endLaunch(launch.mark);
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  })();
  await ending;
  process.exit(code);
}

/** @param {string} url */
function openBrowser(url) {
  const hasScreen = process.platform !== 'linux' || process.env.DISPLAY || process.env.WAYLAND_DISPLAY;
  if (!hasScreen) return;
  const [command, ...args] = { darwin: ['open'], win32: ['cmd', '/c', 'start'] }[process.platform] ?? ['xdg-open'];
  // Where there is none, the address has been printed.
  spawn(command, [...args, url], { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref();
}

function readArguments() {
  try {
    const { values } = parseArgs({ options: { port: { type: 'string' }, 'no-open': { type: 'boolean' } } });
    const wanted = Number(values.port ?? 0);
    if (!Number.isInteger(wanted) || wanted < 0 || wanted > 65_535)
      throw new Error(`--port is ${values.port}: it takes 1 to 65535`);
    const noOpen = values['no-open'] === true;
    return { port: wanted, isBrowserWanted: noOpen || values.port !== undefined, isAddressEnough: noOpen };
  } catch (error) {
    console.error(`start: ${whatWentWrong(error)}\nusage: npm start -- [--port N] [--no-open]`);
    return process.exit(2);
  }
}

/** @param {unknown} error */
function whatWentWrong(error) {
  return error instanceof Error ? error.message : String(error);
}
