import type { Command } from './command.ts';

interface Entry {
  words: string;
  summary: string;
  /** Loaded when it is used only, so that every command starts quickly. */
  load: () => Promise<{ command: Command }>;
  /** Used by other commands, of no use to people. */
  hidden?: true;
}

/** Every command, in the order in which a newcomer meets them. */
export const COMMANDS: readonly Entry[] = [
  { words: 'demo', summary: 'three linked sites and a sample application, on this computer', load: () => import('./demo.ts') },
  { words: 'join', summary: 'join a network with this laptop', load: () => import('./join.ts') },
  { words: 'leave', summary: 'take this laptop out of its networks', load: () => import('./leave.ts') },
  { words: 'run', summary: 'run a site in the foreground', load: () => import('./run.ts') },
  { words: 'token issue', summary: 'make a token that lets another site in', load: () => import('./token-issue.ts') },
  { words: 'token redeem', summary: 'link with the site that issued a token', load: () => import('./token-redeem.ts') },
  { words: 'expose', summary: 'offer a local server at an address, to the whole network', load: () => import('./expose.ts') },
  {
    words: 'intercept',
    summary: 'let a local server stand in for a service of the network',
    load: () => import('./intercept.ts'),
  },
  { words: 'listen', summary: 'reach an address through a local port', load: () => import('./listen.ts') },
  { words: 'proxy', summary: 'reach services by the names that pods use, through a proxy', load: () => import('./proxy.ts') },
  { words: 'env', summary: 'where services are on this computer, as environment variables', load: () => import('./env.ts') },
  { words: 'status', summary: 'the network as this site sees it', load: () => import('./status.ts') },
  { words: 'services', summary: 'every service of the network and who offers it', load: () => import('./services.ts') },
  { words: 'links', summary: 'the links of this site', load: () => import('./links.ts') },
  { words: 'metrics', summary: 'what this site counts, for Prometheus', load: () => import('./metrics.ts') },
  { words: 'explain', summary: 'why an address can or cannot be reached', load: () => import('./explain.ts') },
  { words: 'remove', summary: 'remove a link, listener or connector that a command made', load: () => import('./remove.ts') },
  { words: 'revoke', summary: 'let a site in no more and cut its links', load: () => import('./revoke.ts') },
  { words: 'stop', summary: 'end the running site', load: () => import('./stop.ts') },
  { words: 'demo-app', summary: 'a part of the sample application', load: () => import('./demo-app.ts'), hidden: true },
];

/** The command that the arguments start with, and the arguments after its words. */
export function findCommand(args: string[]): { entry: Entry; rest: string[] } | undefined {
  for (const count of [2, 1]) {
    const words = args.slice(0, count).join(' ');
    const entry = COMMANDS.find((one) => one.words === words);
    if (entry) return { entry, rest: args.slice(count) };
  }
  return undefined;
}
