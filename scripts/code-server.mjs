// VS Code without a desktop: code-server is its real workbench and extension host, served to a browser.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  createWriteStream,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { cacheFolder } from './cache-folder.mjs';
import { projectNode, root } from './dependencies.mjs';
import { endLaunch, killLaunch, newLaunch } from './launched-processes.mjs';
import { quietSettings } from './quiet-settings.mjs';
import { withoutEditor } from './without-editor.mjs';
import { packageVsix } from './vsix.mjs';

const bin = join(root, 'node_modules', '.bin');
const ENTRY = 'node_modules/code-server/out/node/entry.js';

/**
 * Installs code-server into the user's cache where it is not there yet, about half a minute and 600 MB. An interrupted
 * installation leaves nothing that a later one would take for complete.
 *
 * @param {(line: string) => void} log Is told before anything slow.
 * @returns {Promise<string>} The path of its entry.js, to be run with the project's own Node.
 */
export async function ensureCodeServer(log) {
  const recipe = join(root, 'scripts', 'code-server');
  const version = JSON.parse(readFileSync(join(root, 'node_modules', 'node', 'package.json'), 'utf8')).version;
  const hash = createHash('sha256')
    .update(readFileSync(join(recipe, 'package-lock.json')))
    .update(version)
    .digest('hex')
    .slice(0, 12);
  const cache = cacheFolder();
  const target = join(cache, `code-server-${hash}`);
  const entry = join(target, ENTRY);
  if (existsSync(entry)) return entry;

  mkdirSync(cache, { recursive: true });
  removeLeftovers(cache);
  log('Installing code-server, which is VS Code in a browser (once, about half a minute, 600 MB)');
  const partial = join(cache, `code-server-${hash}.partial-${process.pid}`);
  rmSync(partial, { recursive: true, force: true });
  cpSync(recipe, partial, { recursive: true });
  await installInto(partial, log);
  try {
    renameSync(partial, target);
  } catch (error) {
    // Another process was faster.
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(entry)) throw error;
  }
  return entry;
}

/**
 * Does what code-server's own install script does, except that it compiles two small modules instead of ten: terminals, file
 * watching and passwords come compiled. One of the others needs Kerberos' headers, which few machines have.
 *
 * @param {string} folder
 * @param {(line: string) => void} log
 */
async function installInto(folder, log) {
  await npm(folder, ['ci', '--ignore-scripts']);
  const vscode = join(folder, 'node_modules', 'code-server', 'lib', 'vscode');
  // Not `npm ci`: their lock file and their package.json disagree.
  await npm(vscode, ['install', '--omit=dev', '--ignore-scripts']);
  mkdirSync(join(vscode, 'extensions', 'node_modules'), { recursive: true });
  symlinkSync('../../../../../typescript', join(vscode, 'extensions', 'node_modules', 'typescript'), 'junction');
  if (process.platform !== 'win32') {
    const os = process.platform === 'darwin' ? 'darwin' : 'linux';
    replaceByLink(join(vscode, 'bin', 'remote-cli', 'code-server'), `code-${os}.sh`);
    replaceByLink(join(vscode, 'bin', 'helpers', 'browser.sh'), `browser-${os}.sh`);
  }
  try {
    // spdlog writes the log files, which output channels are read from. The watchdog ends an extension host without a server.
    await npm(vscode, ['rebuild', '@vscode/spdlog', '@vscode/native-watchdog']);
  } catch (error) {
    log(`code-server goes without log files and output channels. ${/** @type {Error} */ (error).message}`);
  }
}

/**
 * @param {string} path
 * @param {string} target
 */
function replaceByLink(path, target) {
  rmSync(path, { force: true });
  symlinkSync(target, path);
}

/**
 * Removes what interrupted installations left.
 *
 * @param {string} cache
 */
function removeLeftovers(cache) {
  for (const name of readdirSync(cache)) {
    const pid = Number(/^code-server-.*\.partial-(\d+)$/.exec(name)?.[1]);
    if (!pid || isRunning(pid)) continue;
    try {
      rmSync(join(cache, name), { recursive: true, force: true });
    } catch {
      // Its npm still writes: the next installation removes it.
    }
  }
}

/** @param {number} pid */
function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {string} cwd
 * @param {string[]} args
 */
async function npm(cwd, args) {
  const env = { ...process.env, PATH: bin + delimiter + process.env.PATH, ...nodeHeaders() };
  const { code, output } = await run('npm', args, { cwd, env, shell: process.platform === 'win32' });
  if (code !== 0) throw new Error(`npm ${args.join(' ')} failed in ${cwd}:\n${output.trim().split('\n').slice(-20).join('\n')}`);
}

/**
 * Where modules are compiled, node-gyp downloads Node's headers unless it is told where some are. The modules use Node-API, which
 * is the same in all versions, so those of the machine's Node will do.
 */
function nodeHeaders() {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const prefix = dirname(folder);
    if (existsSync(join(prefix, 'include', 'node', 'node_api.h'))) return { npm_config_nodedir: prefix };
  }
  return {};
}

/**
 * Starts VS Code for a browser on 127.0.0.1. Any user of this machine can reach it while it runs: it asks for no password.
 *
 * @param {import('./code-server.d.mts').CodeServerOptions} options
 * @returns {Promise<import('./code-server.d.mts').CodeServer>} Once it answers.
 */
export async function startCodeServer(options) {
  const { folder, extensions, port = 0, trusted = true, idleTimeout, log = () => {} } = options;
  const entry = await ensureCodeServer(log);
  const userDataDir = options.userDataDir ?? mkdtempSync(join(tmpdir(), 'caravan-vscode-'));
  mkdirSync(join(userDataDir, 'User'), { recursive: true });
  writeFileSync(
    join(userDataDir, 'User', 'settings.json'),
    JSON.stringify({ ...quietSettings, ...options.settings }, undefined, 2),
  );
  writeFileSync(join(userDataDir, 'config.yaml'), 'auth: none\n');

  const launch = newLaunch();
  const env = { ...withoutEditor(process.env), ...options.env, ...launch.env };
  const dirs = ['--config', join(userDataDir, 'config.yaml'), '--user-data-dir', userDataDir];
  dirs.push('--extensions-dir', join(userDataDir, 'extensions'));
  const flags = ['--auth', 'none', '--disable-telemetry', '--disable-update-check', '--disable-getting-started-override'];
  if (trusted) flags.push('--disable-workspace-trust');
  if (idleTimeout) flags.push('--idle-timeout-seconds', String(idleTimeout));

  let pid = 0;
  // A test runner that is interrupted exits without asking anyone. First, since others may remove the folder then.
  const kill = () => killLaunch(launch.mark);
  process.prependListener('exit', kill);
  const stop = async () => {
    await endLaunch(launch.mark, pid);
    process.off('exit', kill);
    if (!options.userDataDir) rmSync(userDataDir, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await installExtensions(entry, extensions, dirs, env, userDataDir);
    const child = spawn(projectNode(), [entry, ...dirs, ...flags, '--bind-addr', `127.0.0.1:${port}`, '--ignore-last-opened'], {
      env,
      // Out of the terminal's group, or its Ctrl-C would end them before `stop` can do it in order.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    pid = child.pid ?? 0;
    const ended = new Promise((resolve) => child.once('close', () => resolve(undefined)));
    const address = await listening(child, join(userDataDir, 'code-server.log'), port);
    return { url: `${address}/?folder=${encodeURIComponent(folder).replaceAll('%2F', '/')}`, pid, userDataDir, ended, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * @param {string} entry
 * @param {string[]} extensions
 * @param {string[]} common
 * @param {NodeJS.ProcessEnv} env
 * @param {string} dir
 */
async function installExtensions(entry, extensions, common, env, dir) {
  if (extensions.length === 0) return;
  const files = extensions.map((extension, index) => {
    if (!statSync(extension).isDirectory()) return extension;
    const vsix = join(dir, `${index}.vsix`);
    packageVsix(extension, vsix);
    return vsix;
  });
  const args = files.flatMap((file) => ['--install-extension', file]);
  const { code, output } = await run(projectNode(), [entry, ...common, '--force', ...args], { env });
  if (code !== 0) throw new Error(`VS Code does not take the extension:\n${output}`);
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {string} logFile Keeps what it writes.
 * @param {number} port
 * @returns {Promise<string>} The address that it listens on.
 */
function listening(child, logFile, port) {
  const file = createWriteStream(logFile);
  return new Promise((resolve, reject) => {
    let output = '';
    /** @param {Buffer} chunk */
    const read = (chunk) => {
      file.write(chunk);
      output = (output + chunk).slice(-20_000);
      const address = /server listening on (http:\/\/[^\s/]+)/.exec(output)?.[1];
      if (address) resolve(address);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('error', reject);
    child.once('close', () => {
      file.end();
      reject(
        new Error(
          output.includes('EADDRINUSE')
            ? `Port ${port} is in use. Choose another one: --port N`
            : `code-server ended:\n${output}`,
        ),
      );
    });
  });
}

/**
 * @param {string} file
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 * @returns {Promise<{ code: number | null, output: string }>}
 */
function run(file, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    const kill = () => child.kill();
    process.once('exit', kill);
    child.once('close', () => process.off('exit', kill));
    let output = '';
    child.stdout?.on('data', (chunk) => (output += chunk));
    child.stderr?.on('data', (chunk) => (output += chunk));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}
