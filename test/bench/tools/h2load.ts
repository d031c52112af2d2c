import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { commandPath } from '../commands.ts';
import { freePort } from '../ports.ts';
import { Program } from '../program.ts';
import type { Scope } from '../scope.ts';
import { temporaryFolder } from '../temporary-folder.ts';

/** Calls that are on their way at once, on each of so many connections. */
const CONNECTIONS = 4;
const CALLS_PER_CONNECTION = 10;

export interface CallOptions {
  port: number;
  seconds: number;
}

/** The port of a server that answers every call with the bytes of the call, HTTP/2 in clear text with prior knowledge. */
export async function startCallServer(scope: Scope): Promise<number> {
  const port = await freePort();
  const args = ['--no-tls', '--address=127.0.0.1', '--echo-upload', '--trailer=grpc-status: 0', String(port)];
  await scope.use(new Program(commandPath('nghttpd'), args)).opens(port);
  return port;
}

/** What makes unary calls as a gRPC client does: a small POST, an answer with trailers. Resolves to calls per second. */
export async function prepareCalls(scope: Scope): Promise<(options: CallOptions) => Promise<number>> {
  const message = join(await temporaryFolder(scope), 'message');
  // A message of gRPC over HTTP/2: not compressed, 20 bytes long.
  await writeFile(message, Buffer.concat([Buffer.from([0, 0, 0, 0, 20]), Buffer.alloc(20, 'x')]));
  return async ({ port, seconds }) => {
    const load = ['-t1', `-c${CONNECTIONS}`, `-m${CALLS_PER_CONNECTION}`, `-D${seconds}`, `--data=${message}`];
    const headers = ['-H', 'content-type: application/grpc', '-H', 'te: trailers'];
    const program = new Program(commandPath('h2load'), [...load, ...headers, `http://127.0.0.1:${port}/echo.Echo/Say`]);
    const output = await scope.use(program).output();
    const [, succeeded, failed] = /(\d+) succeeded, (\d+) failed/.exec(output) ?? [];
    if (succeeded === undefined || Number(succeeded) === 0 || Number(failed) > 0)
      throw new Error(`h2load: ${failed ?? 'all'} calls failed`);
    return Number(succeeded) / seconds;
  };
}
