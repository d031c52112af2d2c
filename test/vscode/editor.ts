import type { Locator } from 'playwright-core';
import { click } from './click.ts';
import { readDrawn, type CodeLens } from './drawn.ts';
import type { QuickInput } from './quick-input.ts';
import type { Screen } from './screen.ts';
import { scroll } from './scroll.ts';
import { isWanted, plain, type Wanted } from './text.ts';
import { until, type UntilOptions } from '../support/until.ts';

/** The text editor that is in front. What it says of lenses and hovers holds for the part in view: `reveal` brings others there. */
export class Editor {
  readonly #screen: Screen;
  readonly #quickInput: QuickInput;

  constructor(screen: Screen, quickInput: QuickInput) {
    this.#screen = screen;
    this.#quickInput = quickInput;
  }

  /** Opens a file of the folder by its name, and waits until it is shown. */
  async open(name: string): Promise<this> {
    await this.#quickInput.openFile(name);
    await this.waitForTab(name);
    await this.#lines().first().waitFor();
    return this;
  }

  /** The title of the tab in front. */
  async tab(): Promise<string> {
    const tab = this.#screen.page.locator('.editor-group-container.active .tab.active .tab-label');
    return plain(
      (await tab.locator('.label-name').innerText()) + ((await tab.locator('.label-suffix').allInnerTexts())[0] ?? ''),
    );
  }

  async waitForTab(title: Wanted, options?: UntilOptions): Promise<void> {
    await until(
      async () => `the tab ${title}; in front is: ${await this.tab()}`,
      async () => isWanted(title, await this.tab()),
      options,
    );
  }

  /** The whole document as it stands in the editor, saved or not; read by scrolling where it is long. */
  async text(): Promise<string> {
    const lines = new Map<number, string>();
    const read = async () => {
      const inView = (await readDrawn(this.#editor())).lines;
      for (const { number, text } of inView) lines.set(number, text);
      return inView[0]?.number ?? 1;
    };
    while ((await read()) > 1) if (!(await this.#scroll(-100))) break;
    while (await this.#scroll(1)) await read();
    return [...lines]
      .sort(([a], [b]) => a - b)
      .map(([, text]) => text)
      .join('\n');
  }

  /** Waits until the document holds the text, or matches. */
  async waitForText(wanted: Wanted, options?: UntilOptions): Promise<void> {
    await until(
      async () => `the editor to hold ${wanted}; it holds:\n${await this.text()}`,
      async () => {
        const text = await this.text();
        return typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text);
      },
      options,
    );
  }

  /** Puts the cursor before the first place where a text stands, and brings that into view. */
  async reveal(text: string): Promise<void> {
    const { line, column } = await until(
      () => `${JSON.stringify(text)} in the editor`,
      async () => {
        const lines = (await this.text()).split('\n');
        const index = lines.findIndex((each) => each.includes(text));
        return index >= 0 && { line: index + 1, column: (lines[index] ?? '').indexOf(text) + 1 };
      },
    );
    await this.#screen.page.keyboard.press('Control+G');
    await this.#quickInput.typeInput(`:${line}:${column}`);
    await this.#visibleLine(text).waitFor();
  }

  /** Types where the cursor is, as a person would: brackets and indents come with it. */
  async type(text: string): Promise<void> {
    await this.#screen.page.keyboard.type(text);
  }

  /** Presses a key or a combination, such as `End`, `Enter` or `ControlOrMeta+Z`. */
  async press(key: string): Promise<void> {
    await this.#screen.page.keyboard.press(key);
  }

  /** Saves, and waits until the file is written. */
  async save(): Promise<void> {
    await this.#screen.page.keyboard.press('ControlOrMeta+S');
    await this.#screen.page.locator('.editor-group-container.active .tab.active:not(.dirty)').waitFor();
  }

  /** The code lenses in view, from top to bottom. */
  async codeLenses(): Promise<CodeLens[]> {
    return (await readDrawn(this.#editor())).lenses;
  }

  /** Waits for a code lens; above the line that matches, where one is given. */
  async waitForCodeLens(title: Wanted, line?: Wanted, options?: UntilOptions): Promise<CodeLens> {
    return this.#untilLens('', title, line, (lens) => lens, options);
  }

  /** Clicks a code lens; above the line that matches, where one is given. Waits for it. */
  async clickCodeLens(title: Wanted, line?: Wanted): Promise<void> {
    await this.#untilLens('a click on ', title, line, async ({ link }) => {
      if (link) await click(link);
      return link !== undefined;
    });
  }

  /** The lens is looked for anew each time: while a document opens, lenses and the lines below them are still on the move. */
  async #untilLens<T>(
    what: string,
    title: Wanted,
    line: Wanted | undefined,
    look: (lens: CodeLens) => T | Promise<T>,
    options?: UntilOptions,
  ): Promise<T> {
    const isIt = (lens: CodeLens) => isWanted(title, lens.title) && (line === undefined || isWanted(line, lens.line));
    const lens = `the code lens ${title}${line === undefined ? '' : ` above ${line}`}`;
    return until(
      async () => {
        const there = (await this.codeLenses()).map((each) => `${each.title} above ${each.line}`);
        return `${what}${lens}; there are: ${there.join(', ') || 'none'}`;
      },
      async () => {
        const found = (await this.codeLenses()).find(isIt);
        return found && look(found);
      },
      options,
    );
  }

  /** Rests the mouse on a text that is in view, and reads what appears. */
  async hover(text: string, options?: UntilOptions): Promise<string> {
    const hovers = this.#screen.page.locator('.monaco-editor .monaco-hover:not(.hidden) .hover-contents');
    return until(
      () => `a hover over ${text}`,
      async () => {
        // From elsewhere: a mouse that stays where it is shows nothing, and what it showed of another text is to be gone.
        await this.#screen.page.mouse.move(0, 0);
        await hovers.first().waitFor({ state: 'hidden', timeout: 3000 });
        const { x, y } = await this.#position(text);
        await this.#screen.page.mouse.move(x + 60, y + 60);
        await this.#screen.page.mouse.move(x, y);
        await hovers.first().waitFor({ timeout: 3000 });
        const parts = (await hovers.allInnerTexts()).map(plain).filter(Boolean);
        const loading = parts.length === 0 || parts.includes('Loading...');
        return !loading && parts.join('\n');
      },
      options,
    );
  }

  /** The errors and warnings of all open documents, as the Problems view has them. */
  async problems(): Promise<string[]> {
    await this.#quickInput.run('Problems: Focus on Problems View');
    const rows = this.#screen.page.locator('.markers-panel .monaco-list-row');
    const texts = await rows.allInnerTexts();
    return texts.map((text) => plain(text.replaceAll(/\s+/g, ' ')));
  }

  /** Waits until the Problems view has one that matches. */
  async waitForProblem(pattern: RegExp, options?: UntilOptions): Promise<void> {
    await this.#quickInput.run('Problems: Focus on Problems View');
    const rows = this.#screen.page.locator('.markers-panel .monaco-list-row');
    await until(
      async () => `a problem that says ${pattern}; there are: ${(await rows.allInnerTexts()).join(' | ') || 'none'}`,
      async () => (await rows.allInnerTexts()).some((text) => pattern.test(plain(text.replaceAll(/\s+/g, ' ')))),
      options,
    );
  }

  /** Chooses a quick fix for what is reported at the first place where a text stands. */
  async quickFix(text: string, fix: Wanted): Promise<void> {
    await this.reveal(text);
    const menu = this.#screen.page.locator('.action-widget .monaco-list-row.action');
    await until(
      async () => `the quick fix ${fix}; there are: ${(await menu.allInnerTexts()).join(', ')}`,
      async () => {
        if ((await menu.count()) === 0) await this.press('ControlOrMeta+.');
        await menu.first().waitFor({ timeout: 2000 });
        const label = (await menu.allInnerTexts()).find((each) => isWanted(fix, plain(each)));
        if (label !== undefined) {
          await click(menu.filter({ hasText: plain(label) }).first());
          return true;
        }
        // It was opened before all of them were there.
        await this.press('Escape');
        return false;
      },
    );
  }

  /** What is proposed where the cursor is. */
  async completions(): Promise<string[]> {
    await this.#openCompletions();
    const labels = await this.#completions().locator('.label-name').allInnerTexts();
    await this.press('Escape');
    return labels.map(plain);
  }

  /** Takes one of what is proposed where the cursor is. */
  async complete(label: string): Promise<void> {
    await this.#openCompletions();
    await this.#completions()
      .filter({ has: this.#screen.page.getByText(label, { exact: true }) })
      .first()
      .click();
  }

  async #openCompletions(): Promise<void> {
    await until('completions', async () => {
      await this.press('Control+Space');
      await this.#completions().first().waitFor({ timeout: 3000 });
      return true;
    });
  }

  #completions(): Locator {
    return this.#screen.page.locator('.suggest-widget.visible .monaco-list-row');
  }

  #editor(): Locator {
    return this.#screen.page.locator('.editor-group-container.active .editor-instance > .monaco-editor');
  }

  #lines(): Locator {
    return this.#editor().locator('.view-lines .view-line');
  }

  #visibleLine(text: string): Locator {
    return this.#lines().filter({ hasText: text }).first();
  }

  /** Scrolls by a bit less than the editor's height. False where that moves nothing. */
  async #scroll(direction: number): Promise<boolean> {
    const height = (await this.#editor().boundingBox())?.height ?? 0;
    return scroll(this.#editor().locator('.editor-scrollable').first(), direction * Math.max(40, height - 40), '.lines-content');
  }

  /** The middle of a text that is in view. A line is split into spans wherever its colour changes, so it is measured by the letter. */
  async #position(text: string): Promise<{ x: number; y: number }> {
    const line = this.#visibleLine(text);
    const content = (await line.textContent())?.replaceAll('\u00A0', ' ') ?? '';
    const box = await line.locator('> span').boundingBox();
    if (!box) throw new Error(`${text} is not in view`);
    const letter = box.width / content.length;
    return { x: box.x + (content.indexOf(text) + text.length / 2) * letter, y: box.y + box.height / 2 };
  }
}
