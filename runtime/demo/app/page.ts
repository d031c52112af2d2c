import type { Order } from './backend.ts';

interface PageContent {
  orders?: Order[];
  /** How long the backend took. */
  milliseconds?: number;
  /** What went wrong instead. */
  message?: string;
}

/** The whole page: no script, nothing loaded from elsewhere, light and dark. */
export function page({ orders = [], milliseconds, message }: PageContent): string {
  const rows = [...orders]
    .reverse()
    .map(({ number, item, time }) => `<tr><td>${number}<td>${escape(item)}<td>${escape(time.slice(11, 19))}`);
  const took = milliseconds === undefined ? '' : `<p>The answer took ${milliseconds.toFixed(1)} ms.`;
  const table = `<table><tr><th>No.<th>Order<th>Time (UTC)${rows.join('')}</table>`;
  const problem = message === undefined ? '' : `<p class="problem" role="alert">${escape(message)}`;
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Orders</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
  body { max-width: 34rem; margin: 3rem auto; padding: 0 1rem }
  ol { display: flex; gap: .5rem; list-style: none; padding: 0; flex-wrap: wrap }
  li { border: 1px solid #8886; border-radius: .5rem; padding: .25rem .75rem }
  li + li::before { content: "→ "; margin-left: -.25rem; opacity: .6 }
  b { display: block; font-weight: 600 }
  table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .3rem .5rem; border-bottom: 1px solid #8884 }
  input, button { font: inherit; padding: .3rem .7rem } form { margin: 1.5rem 0 1rem } p { opacity: .8 } .problem { color: #c33; opacity: 1 }
</style>
<h1>Orders</h1>
<ol aria-label="the way of this page">
<li>laptop<b>frontend</b><li>cloud<b>backend</b><li>onprem<b>orders</b>
</ol>
${problem}
<form method="post" action="/orders"><input name="item" value="cappuccino" maxlength="40" aria-label="what to order" pattern="[\\w \\-]+" required>
<button>Place an order</button></form>
${message === undefined ? table : ''}${took}
</html>
`;
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!);
}
