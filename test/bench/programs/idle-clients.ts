// Opens COUNT connections to PORT, a few at a time, and keeps them; prints `open` once each was greeted.
import { once } from 'node:events';
import { connect } from 'node:net';

const AT_A_TIME = 50;

const [port, count] = process.argv.slice(2).map(Number) as [number, number];
let left = count;
await Promise.all(
  Array.from({ length: AT_A_TIME }, async () => {
    while (left-- > 0) await once(connect(port, '127.0.0.1'), 'data');
  }),
);
console.log('open');
// Kept as long as the bench wants.
process.stdin.resume();
