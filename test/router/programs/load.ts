// Clients that ask one question after another at a local port: prints `ok ANSWER` or `failed REASON` for each. A line on its standard input
// is answered with `from here`, after which nothing is printed of what failed and was asked before; ends with its standard input.
import { Load } from '../../support/load.ts';

const CLIENTS = 4;

const load = new Load(Number(process.argv[2]), CLIENTS, console.log);
process.stdin
  .on('data', () => {
    load.noteFromHere();
    console.log('from here');
  })
  .on('end', () => void load.stop());
