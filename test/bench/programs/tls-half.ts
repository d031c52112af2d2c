// Half of a pair that copies bytes, as simply as Node can: `near` takes clients and dials PORT of loopback with mutual TLS 1.3, `far` takes those and
// dials PORT plainly, a connection for each. OWN is its certificate with its key, AUTHORITY whose certificates it takes. Prints its port.
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';

const [half, target, own, authority] = process.argv.slice(2) as ['near' | 'far', string, string, string];
const pem = readFileSync(own);
const mutual = { cert: pem, key: pem, ca: readFileSync(authority), minVersion: 'TLSv1.3' } as const;
const plain = { port: Number(target), host: '127.0.0.1', noDelay: true };

const server: Server =
  half === 'near'
    ? createServer({ noDelay: true }, (client) => {
        // The authority is all that is asked for, as HAProxy and stunnel are told to.
        const onward = connectTls({ ...plain, ...mutual, checkServerIdentity: () => undefined });
        onward.setNoDelay(true);
        copy(client, onward);
      })
    : createTlsServer({ ...mutual, noDelay: true, requestCert: true }, (client) => copy(client, connect(plain)));
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));

function copy(client: Socket, onward: Socket): void {
  client.pipe(onward).pipe(client);
  client.on('error', () => onward.destroy());
  onward.on('error', () => client.destroy());
}
