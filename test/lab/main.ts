// The lab by hand:
//
//   node test/lab/main.ts build             installs and builds what it needs
//   node test/lab/main.ts up [DIRECTORY]    starts it, to stay; specs use it when CARAVAN_LAB names its folder
//   node test/lab/main.ts down [DIRECTORY]  ends it
//   node test/lab/main.ts with COMMAND …    runs a command that has it, and ends it afterwards
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { cacheDirectory } from './cache.ts';
import { createLab, destroyLab, labIsUp } from './create-lab.ts';
import { prepareLab, startLab, whyLabCannotRun } from './lab.ts';

const [verb, ...args] = process.argv.slice(2);
const directory = resolve(args[0] ?? join(cacheDirectory(), 'up'));
const log = (line: string) => console.error(`lab: ${line}`);

try {
  const reason = whyLabCannotRun();
  if (verb === 'with' && args.length > 0) process.exitCode = await runWith(args, reason === undefined);
  else if (reason) fail(reason);
  else if (verb === 'build') await prepareLab(log);
  else if (verb === 'up') await up();
  else if (verb === 'down') await destroyLab(directory);
  else fail('usage: main.ts build | up [DIRECTORY] | down [DIRECTORY] | with COMMAND …', 2);
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}

async function up(): Promise<void> {
  if (!(await labIsUp(directory))) {
    await destroyLab(directory);
    await createLab({ directory, attached: false, log });
  }
  console.log(`export KUBECONFIG=${join(directory, 'kubeconfig')} CARAVAN_LAB=${directory}`);
}

/** Where there can be no lab the command runs without: specs skip what needs it, and say why. */
async function runWith([program = '', ...rest]: string[], possible: boolean): Promise<number> {
  const lab = possible ? await startLab(log) : undefined;
  const env = lab?.directory ? { ...process.env, CARAVAN_LAB: lab.directory } : process.env;
  // Ctrl-C reaches the command as well: this waits for its end and then ends the lab.
  process.on('SIGINT', () => undefined);
  try {
    return await new Promise((done, failed) => {
      const child = spawn(program, rest, { stdio: 'inherit', env });
      child.on('error', failed);
      child.on('close', (code) => done(code ?? 1));
    });
  } finally {
    await lab?.stop();
  }
}

function fail(message: string, code = 1): never {
  console.error(message);
  process.exit(code);
}
