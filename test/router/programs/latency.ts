// Asks COUNT small questions at a local PORT, one after the other on one connection: prints p50 and p99 of the answers' times, milliseconds.
import { dial } from '../../support/tcp.ts';

const [port, count] = process.argv.slice(2).map(Number) as [number, number];
const client = dial(port);
const times: number[] = [];
for (let at = 0; at < count; at++) {
  const begun = performance.now();
  await new Promise<void>((resolve) => {
    client.once('data', () => resolve());
    client.write('a small question');
  });
  times.push(performance.now() - begun);
}
client.destroy();
times.sort((a, b) => a - b);
console.log(`${percentile(0.5)} ${percentile(0.99)}`);
process.stdin.on('end', () => process.exit(0)).resume();

function percentile(part: number): string {
  return times[Math.floor(part * (count - 1))]!.toFixed(1);
}
