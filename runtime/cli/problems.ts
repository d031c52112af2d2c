import type { SiteControl } from '../api/control.ts';
import type { Problem } from '../api/types.ts';

/** Changes of the status come in bursts. Milliseconds. */
const SETTLE_MS = 300;

/** Tells of every problem of a site that is there now or comes up later, once while it lasts. Returns what ends that. */
export function reportProblems(site: SiteControl, tell: (problem: Problem) => void): () => void {
  let known = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    timer = undefined;
    const { problems } = site.status();
    for (const problem of problems) if (!known.has(key(problem))) tell(problem);
    known = new Set(problems.map(key));
  };
  look();
  const unsubscribe = site.onChange(() => {
    timer ??= setTimeout(look, SETTLE_MS);
  });
  return () => {
    unsubscribe();
    clearTimeout(timer);
  };
}

function key({ where, message }: Problem): string {
  return `${where}: ${message}`;
}
