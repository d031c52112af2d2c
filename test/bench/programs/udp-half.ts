// Half of a pair that passes datagrams on to PORT of loopback, and what comes back to the client whose it was. Prints its port.
import { createSocket, type Socket } from 'node:dgram';

const BUFFER = { type: 'udp4', recvBufferSize: 4 * 1024 * 1024 } as const;
const target = Number(process.argv[2]);

/** For the port of each client a connected socket of its own. */
const flows = new Map<number, Promise<Socket>>();
const clients = createSocket(BUFFER, (datagram, { port }) => void flowOf(port).then((flow) => flow.send(datagram)));
clients.bind(0, '127.0.0.1', () => console.log(clients.address().port));

function flowOf(client: number): Promise<Socket> {
  const known = flows.get(client);
  if (known) return known;
  const onward = createSocket(BUFFER, (answer) => clients.send(answer, client, '127.0.0.1'));
  const flow = new Promise<Socket>((resolve) => onward.connect(target, '127.0.0.1', () => resolve(onward)));
  flows.set(client, flow);
  return flow;
}
