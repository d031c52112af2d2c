/** A text as it stands on the screen, or a pattern in it. */
export type Wanted = string | RegExp;

/** Whether a text is the wanted one, or holds the wanted pattern. */
export function isWanted(wanted: Wanted, text: string): boolean {
  return typeof wanted === 'string' ? text === wanted : wanted.test(text);
}

/** What a person reads: without icons, and with ordinary blanks. */
export function plain(text: string | null | undefined): string {
  return (text ?? '')
    .replaceAll('\u00A0', ' ')
    .replaceAll(/[\u200B\uE000-\uF8FF]/g, '')
    .trim();
}
