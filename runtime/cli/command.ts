/** Where a command writes; tests give their own. */
export interface Io {
  out(text: string): void;
  err(text: string): void;
  /** Whole standard input as text. */
  input(): Promise<string>;
  now(): Date;
}

/** What a command's file exports. */
export interface Command {
  /** What `--help` prints: usage first, then what is worth knowing. */
  help: string;
  /** Resolves to the exit code; nothing means 0. */
  run(args: string[], io: Io): Promise<number | void>;
}
