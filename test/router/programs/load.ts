// Clients that ask one question after another at a local port: prints `ok ANSWER` or `failed REASON` for each; ends with its standard input.
import { ask } from '../../support/tcp.ts';

const port = Number(process.argv[2]);
const over = new AbortController();
process.stdin.on('end', () => over.abort()).resume();
await Promise.all(
  Array.from({ length: 4 }, async () => {
    while (!over.signal.aborted)
      await ask(port, 'load').then(
        (answer) => console.log(`ok ${answer}`),
        (error: Error) => console.log(`failed ${error.message}`),
      );
  }),
);
