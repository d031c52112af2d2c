import type { Locator } from 'playwright-core';
import type { PageElement, PageWindow } from './page-element.ts';

/**
 * Turns the mouse wheel over an element, by as many pixels in one turn: a notch at a time takes a second for a long list.
 *
 * @param by Down where positive.
 * @param content The selector, within the element, of what moves in it.
 * @returns False where that moves nothing: it was at the end.
 */
export function scroll(element: Locator, by: number, content: string): Promise<boolean> {
  return element.evaluate(
    async (target: PageElement, { pixels, selector }) => {
      const window = globalThis as unknown as PageWindow;
      const position = () => {
        const { style } = target.querySelector(selector) as PageElement;
        return `${style.top} ${style.transform}`;
      };
      const before = position();
      // VS Code moves by 50 pixels for each 120, a notch, of the older measure.
      const wheel = { deltaY: pixels, wheelDeltaY: pixels * -2.4, bubbles: true, cancelable: true };
      target.dispatchEvent(new window.WheelEvent('wheel', wheel));
      // Drawn with the next frame at the latest.
      for (let frames = 0; frames < 3 && position() === before; frames++)
        await new Promise((resolve) => {
          window.requestAnimationFrame(resolve);
        });
      return position() !== before;
    },
    { pixels: by, selector: content },
    { timeout: 2000 },
  );
}
