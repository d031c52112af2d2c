/** The command line: finds the command, runs it, and turns every failure into one line and an exit code. */
import { sentence } from '../errors.ts';
import { VERSION } from '../version.ts';
import { printableLines } from '../words.ts';
import { UsageError } from './arguments.ts';
import type { Io } from './command.ts';
import { COMMANDS, findCommand } from './commands.ts';

const DONE = 0;
const FAILED = 1;
const USAGE = 2;

/** Runs one command line, without the program's name; resolves to the exit code: 0 done, 1 failed, 2 wrong usage. */
export async function runCli(args: string[], terminal: Io): Promise<number> {
  // Whatever a command prints may have come from another site.
  const io: Io = {
    ...terminal,
    out: (text) => terminal.out(printableLines(text)),
    err: (text) => terminal.err(printableLines(text)),
  };
  const [first] = args;
  if (first === '--version' || first === 'version') return print(io, `caravan ${VERSION}\n`);
  if (first === '--help' || first === '-h' || first === 'help') return print(io, overview());
  if (first === undefined) {
    io.err(overview());
    return USAGE;
  }
  const found = findCommand(args);
  if (!found) return complain(io, `There is no command "${unknown(args)}".`, 'caravan --help');
  const { command } = await found.entry.load();
  if (found.rest.includes('--help') || found.rest.includes('-h')) return print(io, command.help);
  try {
    return (await command.run(found.rest, io)) ?? DONE;
  } catch (error) {
    if (error instanceof UsageError) return complain(io, error.message, `caravan ${found.entry.words} --help`);
    io.err(`caravan: ${oneLine(sentence(error))}\n`);
    return FAILED;
  }
}

function print(io: Io, text: string): number {
  io.out(text);
  return DONE;
}

function complain(io: Io, what: string, help: string): number {
  io.err(`caravan: ${what} See: ${help}\n`);
  return USAGE;
}

/** As much of the command line as could have been meant as a command: `token isue`. */
function unknown(args: string[]): string {
  const group = COMMANDS.some(({ words }) => words.startsWith(`${args[0]} `));
  return args.slice(0, group ? 2 : 1).join(' ');
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ');
}

function overview(): string {
  const shown = COMMANDS.filter(({ hidden }) => !hidden);
  const lines = shown.map(({ words, summary }) => `  ${words.padEnd(14)}${summary}`);
  return `Usage: caravan COMMAND [OPTIONS]

Joins hosts, Kubernetes namespaces and this computer into one network of services.

${lines.join('\n')}

  --version     print the version
  --help        this text; "caravan COMMAND --help" tells about one command

Commands that ask a running site take --socket PATH_OR_NAME, or CARAVAN_SOCKET; where only one site runs, neither is
needed. They end with 0 when done, with 1 and one line that says why when not, with 2 when called wrongly.
`;
}
