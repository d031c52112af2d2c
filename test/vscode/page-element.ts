// What the harness uses of the browser's own types, in functions that run in the page: the project compiles without DOM types, since
// in the rest of it `name`, `event` or `close` without a declaration are mistakes.

export interface PageElement {
  readonly className: string;
  readonly textContent: string | null;
  readonly style: { readonly top: string; readonly transform: string };
  getAttribute(name: string): string | null;
  querySelector(selector: string): PageElement | null;
  querySelectorAll(selector: string): Iterable<PageElement>;
  getBoundingClientRect(): { x: number; y: number; width: number; height: number };
  dispatchEvent(event: object): void;
}

export interface PageWindow {
  WheelEvent: new (type: string, options: object) => object;
  requestAnimationFrame(callback: (value: unknown) => void): void;
}
