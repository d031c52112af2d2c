import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { CaravanError, sentence } from '../../errors.ts';

/** How long the database may take. Milliseconds. */
const LIMIT_MS = 5000;

export interface Place {
  host: string;
  port: number;
}

/** Opens a connection, waits for the greeting, sends one command, and resolves to the lines of its answer. */
export function askOrders({ host, port }: Place, command: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host);
    const lines: string[] = [];
    const end = (error?: unknown) => {
      socket.destroy();
      if (error === undefined) resolve(lines);
      else reject(new CaravanError('unreachable', `orders does not answer: ${sentence(error)}.`));
    };
    let greeted = false;
    socket.setTimeout(LIMIT_MS, () => end(`nothing came for ${LIMIT_MS / 1000} s`));
    socket.on('error', end).on('close', () => end('the connection ended'));
    const reader = createInterface({ input: socket, crlfDelay: Infinity });
    reader.on('error', () => {}); // it repeats the socket's
    reader.on('line', (line) => {
      if (!greeted) {
        greeted = true;
        socket.write(`${command}\n`);
      } else if (line === '.') end();
      else {
        lines.push(line);
        if (/^(OK|ERROR) /.test(line)) end();
      }
    });
  });
}
