import type { Locator } from 'playwright-core';

/**
 * Clicks. One that was performed counts, also where the page was too busy to say so in time: a second one would find what the first has
 * changed.
 */
export async function click(what: Locator, timeout = 5000): Promise<void> {
  await what.click({ timeout }).catch((error: unknown) => {
    const [, ...performed] = String(error).split('performing click action');
    const after = performed.at(-1);
    if (after === undefined || /intercepts pointer events|retrying/.test(after)) throw error;
  });
}
