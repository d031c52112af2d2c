import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FrameLocator, Locator, Page } from 'playwright-core';
import { Dialog } from './dialog.ts';
import { Editor } from './editor.ts';
import { Menu } from './menu.ts';
import { Notifications } from './notifications.ts';
import { QuickInput } from './quick-input.ts';
import { Sidebar } from './sidebar.ts';
import { Terminal } from './terminal.ts';
import { plain } from './text.ts';
import { DEADLINE_MS, until, type UntilOptions } from '../support/until.ts';
import { startVSCode, type VSCode } from './vscode.ts';
import type { VSCodeOptions } from './vscode-options.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const OUTPUT = join(root, 'test', 'output');

/** What the page objects can read best: no lines twice, none cut, terminals as text. */
const READABLE = {
  'editor.minimap.enabled': false,
  'editor.stickyScroll.enabled': false,
  'editor.scrollBeyondLastLine': false,
  'terminal.integrated.gpuAcceleration': 'off',
  'workbench.list.smoothScrolling': false,
};

/** A real VS Code with Caravan in it, used through what a person sees. Nothing of the machine's user is in it. */
export class Workbench {
  readonly quickInput = new QuickInput(this);
  readonly notifications = new Notifications(this);
  readonly dialog = new Dialog(this);
  readonly sidebar = new Sidebar(this);
  readonly editor = new Editor(this, this.quickInput);
  readonly terminal = new Terminal(this, this.quickInput);
  readonly menu = new Menu(this);
  #running: { vscode: VSCode; dir: string; remove: () => void } | undefined;

  /** The window. */
  get page(): Page {
    return this.#opened().vscode.page;
  }

  /** The folder that is open: the spec's own copy. */
  get folder(): string {
    return join(this.#opened().dir, 'folder');
  }

  /** What the extension and terminals take for the user's home: empty at first. */
  get home(): string {
    return join(this.#opened().dir, 'home');
  }

  /** Where the sockets of this VS Code's sites are. */
  get runtimeDirectory(): string {
    return runtimeDirectory(this.home);
  }

  /** Starts VS Code and waits until it is drawn. */
  async open({ folder, files = {}, settings, env, extensions = [caravan()], trusted = true }: VSCodeOptions = {}): Promise<void> {
    // Short: sockets are made below it, and their paths have room for 107 letters.
    const dir = mkdtempSync(join(tmpdir(), 'cv-'));
    const remove = () => {
      process.off('exit', remove);
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    };
    process.once('exit', remove);
    const home = join(dir, 'home');
    const opened = join(dir, 'folder');
    mkdirSync(home);
    mkdirSync(opened);
    if (folder) cpSync(folder, opened, { recursive: true });
    for (const [path, contents] of Object.entries(files)) {
      mkdirSync(dirname(join(opened, path)), { recursive: true });
      writeFileSync(join(opened, path), contents);
    }
    try {
      const vscode = await startVSCode({
        folder: opened,
        userDataDir: join(dir, 'vscode'),
        settings: { ...READABLE, ...settings },
        env: { ...isolated(home), ...env },
        extensions,
        trusted,
      });
      this.#running = { vscode, dir, remove };
      vscode.page.setDefaultTimeout(10_000);
      await this.#waitUntilDrawn();
    } catch (error) {
      await this.close();
      remove();
      throw error;
    }
  }

  /** Ends VS Code and all that ran in it, and removes its folders. */
  async close(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (!running) return;
    await running.vscode.stop();
    running.remove();
  }

  /** Reloads the window, as `Developer: Reload Window` does: the extension starts anew. */
  async reload(): Promise<void> {
    const { page } = this;
    const loaded = page.waitForEvent('load', { timeout: DEADLINE_MS });
    await this.run('Developer: Reload Window');
    await loaded;
    await this.#waitUntilDrawn();
  }

  /** Runs a command from the palette, by its whole name, such as `Caravan: Create Site…`. */
  async run(command: string, options?: UntilOptions): Promise<void> {
    await this.quickInput.run(command, options);
  }

  /** Picks one of what the quick pick offers. Waits for it. */
  async pick(label: string | RegExp, options?: UntilOptions): Promise<void> {
    await this.quickInput.pick(label, options);
  }

  /** Answers the input box that is open with a text. */
  async typeInput(text: string): Promise<void> {
    await this.quickInput.typeInput(text);
  }

  /** Waits for a notification that matches, and returns what it says. */
  async waitForNotification(pattern: RegExp, options?: UntilOptions): Promise<string> {
    return this.notifications.waitFor(pattern, options);
  }

  /** Clicks a button of the notification that matches. Waits for it. */
  async clickNotificationButton(pattern: RegExp, button: string): Promise<void> {
    await this.notifications.click(pattern, button);
  }

  /** Waits for an item of the status bar that matches, and returns what it says. */
  async statusBar(pattern: RegExp, options?: UntilOptions): Promise<string> {
    const all = async () => (await this.#statusBarItems().allInnerTexts()).map(plain).filter(Boolean);
    return until(
      async () => `the status bar to say ${pattern}; it says: ${(await all()).join(' | ')}`,
      async () => (await all()).find((text) => pattern.test(text)),
      options,
    );
  }

  async clickStatusBar(pattern: RegExp): Promise<void> {
    await this.statusBar(pattern);
    await this.#statusBarItems().filter({ hasText: pattern }).first().click();
  }

  /** The inside of the web view that is in front. */
  webview(): FrameLocator {
    return this.page.locator('iframe.webview.ready:visible').last().contentFrame().locator('#active-frame').contentFrame();
  }

  /** Keeps a picture of the window as test/output/screenshots/NAME.png, and returns its path. */
  async screenshot(name: string): Promise<string> {
    const path = join(OUTPUT, 'screenshots', `${fileName(name)}.png`);
    await this.page.screenshot({ path, timeout: DEADLINE_MS });
    return path;
  }

  /** Closes boxes, menus, dialogs and notifications that a test has left open: they would be in the way of the next one. */
  async dismissAll(): Promise<void> {
    // A menu in a box in a dialog: each key closes one.
    for (let times = 0; times < 3; times++) await this.page.keyboard.press('Escape').catch(() => undefined);
    await this.notifications.clear().catch(() => undefined);
  }

  /** Keeps VS Code's logs, the extension's own among them, as test/output/logs/NAME, and returns that path. */
  keepLogs(name: string): string {
    const path = join(OUTPUT, 'logs', fileName(name));
    const { dir } = this.#opened();
    rmSync(path, { recursive: true, force: true });
    for (const logs of ['logs', 'code-server.log', 'coder-logs']) {
      const from = join(dir, 'vscode', logs);
      if (existsSync(from)) cpSync(from, join(path, logs), { recursive: true });
    }
    return path;
  }

  async #waitUntilDrawn(): Promise<void> {
    const parts = ['.monaco-workbench .activitybar .action-item', '.monaco-workbench .statusbar-item'];
    for (const part of parts) await this.page.locator(part).first().waitFor({ timeout: DEADLINE_MS });
  }

  #statusBarItems(): Locator {
    return this.page.locator('.statusbar-item');
  }

  #opened() {
    if (!this.#running) throw new Error('The workbench is not open.');
    return this.#running;
  }
}

/** Caravan as `npm run build` left it. */
function caravan(): string {
  if (!existsSync(join(root, 'dist', 'extension.cjs'))) throw new Error('Caravan is not built. Run: npm run build');
  return root;
}

/** Short, since the sockets in it have paths with a limit. */
function runtimeDirectory(home: string): string {
  return join(home, 'run');
}

/** An environment in which nothing of the machine's user is found. */
function isolated(home: string): Record<string, string> {
  const xdg = ['CONFIG', 'DATA', 'STATE', 'CACHE'].map((name) => [`XDG_${name}_HOME`, join(home, `.${name.toLowerCase()}`)]);
  return {
    ...Object.fromEntries(xdg),
    CARAVAN_RUNTIME_DIR: runtimeDirectory(home),
    HOME: home,
    USERPROFILE: home,
    // As if it were not set: ~/.kube/config, which is not there.
    KUBECONFIG: '',
  };
}

function fileName(name: string): string {
  return name.replaceAll(/[^\w.-]+/g, '-');
}
