// Sends messages of BYTES to an AMQP server on PORT for SECONDS, as its credit allows; prints how many were accepted a second.
import { rhea, type Sender } from './rhea.ts';

const [port, bytes, seconds] = process.argv.slice(2).map(Number) as [number, number, number];
const body = Buffer.alloc(bytes, 'x');
const container = rhea.create_container();
let accepted = 0;
let start = 0;

container.on('sendable', ({ sender, connection }) => {
  if (start === 0) {
    start = performance.now();
    setTimeout(() => {
      console.log((accepted * 1000) / (performance.now() - start));
      connection.close();
      process.exit(0);
    }, seconds * 1000);
  }
  send(sender);
});
container.on('accepted', ({ sender }) => {
  accepted++;
  send(sender);
});
for (const trouble of ['rejected', 'released', 'connection_error', 'sender_error', 'disconnected'])
  container.on(trouble, ({ connection }) => {
    console.error(`${trouble}: ${connection.error?.message ?? 'the other end says no more'}`);
    process.exit(1);
  });
container.connect({ host: '127.0.0.1', port, reconnect: false }).open_sender('server');

function send(sender: Sender): void {
  while (sender.sendable()) sender.send({ body });
}
