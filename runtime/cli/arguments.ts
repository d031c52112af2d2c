import { parseArgs, type ParseArgsConfig } from 'node:util';

/** The command line itself is wrong: exit code 2, and a pointer to the help. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

type Options = NonNullable<ParseArgsConfig['options']>;
type Parsed<O extends Options> = ReturnType<
  typeof parseArgs<{ options: O; args: string[]; allowPositionals: true; strict: true }>
>;

/** What every command that asks a running site takes. */
export const SOCKET_OPTION = { socket: { type: 'string' } } as const;
/** What every command that prints something for people takes as well. */
export const OUTPUT_OPTION = { output: { type: 'string', short: 'o' } } as const;

/** Reads options and exactly the positional arguments that `names` lists, such as `['ADDRESS']`. */
export function parseArguments<const O extends Options>(args: string[], options: O, names: readonly string[] = []): Parsed<O> {
  let parsed: Parsed<O>;
  try {
    parsed = parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(withoutAdvice((error as Error).message));
  }
  const { positionals } = parsed as { positionals: string[] };
  const missing = names[positionals.length];
  if (missing) throw new UsageError(`${missing} is missing.`);
  if (positionals.length > names.length) throw new UsageError(`"${positionals[names.length]}" is not expected here.`);
  return parsed;
}

/** Node's complaint up to its first full stop or advice: `Unknown option '--foo'.` */
function withoutAdvice(message: string): string {
  return `${message.split('\n')[0]!.split(/\. |\.$/)[0]}.`;
}

/** Whether `-o json` was given; anything else but `text` is an error. */
export function wantsJson(output: string | undefined): boolean {
  if (output === undefined || output === 'text') return false;
  if (output === 'json') return true;
  throw new UsageError(`-o ${output} is not known: use json or text.`);
}

/** A whole number in its bounds. */
export function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(`${option} is "${text}": it takes a whole number from ${least} to ${most}.`);
}

/** The value of an option that has no default. */
export function required(option: string, value: string | undefined): string {
  if (value === undefined || value === '') throw new UsageError(`${option} is missing.`);
  return value;
}

/** One of the words that an option takes. */
export function oneOf<const W extends string>(option: string, value: string | undefined, words: readonly W[]): W | undefined {
  if (value === undefined || (words as readonly string[]).includes(value)) return value as W | undefined;
  throw new UsageError(`${option} is "${value}": it takes one of ${words.join(', ')}.`);
}
