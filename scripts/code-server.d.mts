export interface CodeServerOptions {
  /** The folder to open. */
  folder: string;
  /** Each a .vsix file, or the folder of an extension that is built. */
  extensions: string[];
  /** Holds extensions, settings and logs. Default: a new one, which `stop` removes. */
  userDataDir?: string;
  /** Default 0: the system chooses. */
  port?: number;
  /** For code-server, and so for the extension host and terminals. */
  env?: Record<string, string>;
  /** The user's settings, in addition to those that keep VS Code quiet. */
  settings?: Record<string, unknown>;
  /** Default true: no folder is asked about. False: as VS Code does it. */
  trusted?: boolean;
  /** Ends by itself after so many seconds, at least 60, in which no browser is connected. Default: never. */
  idleTimeout?: number;
  /** Is told before anything slow. */
  log?: (line: string) => void;
}

export interface CodeServer {
  /** Shows the folder. */
  readonly url: string;
  readonly pid: number;
  readonly userDataDir: string;
  /** Resolves when it has ended, by `stop` or by itself. */
  readonly ended: Promise<unknown>;
  /** Ends it and all that runs in it. */
  stop(): Promise<void>;
}

export function ensureCodeServer(log: (line: string) => void): Promise<string>;
export function startCodeServer(options: CodeServerOptions): Promise<CodeServer>;
