import { listenSettled } from '../api/listen-settled.ts';
import type { ListenerKeys } from '../api/types.ts';
import { LISTENER_DISTRIBUTIONS, PROTOCOLS } from '../api/vocabulary.ts';
import { reachedAt } from '../words.ts';
import { oneOf, OUTPUT_OPTION, parseArguments, required, SOCKET_OPTION, wantsJson, wholeNumber } from './arguments.ts';
import type { Command } from './command.ts';
import { connectToSite } from './connect.ts';
import { readKeyPair, readPem } from './read-pem.ts';

export const command: Command = {
  help: `Usage: caravan listen ADDRESS --port PORT [--host HOST] [--type TYPE] [--service-port PORT]
                      [--distribution HOW] [--idle-timeout TIME]
                      [--tls-cert FILE --tls-key FILE [--tls-client-ca FILE] [--alpn LIST]]

Makes a Listener: clients of a local port reach ADDRESS, wherever in the network it is offered. While nobody offers it, connections are
refused. "caravan remove listener NAME" takes it back. With --type amqp and the ADDRESS "", clients may use every address.

  --port PORT           the local port; 0 lets the system choose
  --host HOST           the local address; default 127.0.0.1
  --type TYPE           tcp (default), http, http2, udp or amqp
  --service-port PORT   which port of ADDRESS, where it has several
  --distribution HOW    how servers are chosen for its clients, balanced or closest; default: as ADDRESS says. tcp, http and http2
  --idle-timeout TIME   reset a connection on which nothing moved for so long, such as 5m; default: never. tcp
  --tls-cert FILE       clients speak TLS and are shown this certificate (PEM), which is copied to the site's store
  --tls-key FILE        its key (PEM), which is copied too
  --tls-client-ca FILE  clients must show a certificate that this authority (PEM) signed
  --alpn LIST           what clients may speak in TLS, best first, such as "h2, http/1.1"; default: by TYPE
  -o json               print what was made, for programs
  --socket PATH_OR_NAME the running site
`,
  async run(args, io) {
    const text = { type: 'string' } as const;
    const { values, positionals } = parseArguments(
      args,
      {
        port: text,
        host: text,
        type: text,
        'service-port': text,
        distribution: text,
        'idle-timeout': text,
        'tls-cert': text,
        'tls-key': text,
        'tls-client-ca': text,
        alpn: text,
        ...SOCKET_OPTION,
        ...OUTPUT_OPTION,
      },
      ['ADDRESS'],
    );
    const json = wantsJson(values.output);
    const port = wholeNumber('--port', required('--port', values.port), 0, 65_535);
    const type = oneOf('--type', values.type, PROTOCOLS);
    const { 'service-port': service } = values;
    const servicePort = service === undefined ? undefined : wholeNumber('--service-port', service, 1, 65_535);
    const distribution = oneOf('--distribution', values.distribution, LISTENER_DISTRIBUTIONS);
    const { 'idle-timeout': idleTimeout, alpn } = values;
    const address = positionals[0]!;
    const tls = await listenerKeys(values['tls-cert'], values['tls-key'], values['tls-client-ca']);
    const client = await connectToSite(values.socket);
    const { made, listener } = await listenSettled(client, {
      address,
      port,
      ...(values.host && { host: values.host }),
      ...(type && { type }),
      ...(servicePort !== undefined && { servicePort }),
      ...(distribution && { distribution }),
      ...(idleTimeout !== undefined && { idleTimeout }),
      ...(tls && { tls }),
      ...(alpn !== undefined && { alpn }),
    });
    if (json) return io.out(`${JSON.stringify(listener ? { ...made, host: listener.host, port: listener.port } : made)}\n`);
    const at = listener && listener.port > 0 ? reachedAt(listener) : 'a local port';
    const until = listener?.state === 'open' ? '' : ' Nobody offers it yet: until then, connections are refused.';
    io.out(`${address || 'Every address'} is at ${at} (listener ${made.name}).${until}\n`);
  },
};

async function listenerKeys(certificate?: string, key?: string, clientAuthority?: string): Promise<ListenerKeys | undefined> {
  if (certificate === undefined && key === undefined && clientAuthority === undefined) return undefined;
  return {
    ...(await readKeyPair(certificate, key)),
    ...(clientAuthority !== undefined && { clientAuthority: await readPem('--tls-client-ca', clientAuthority) }),
  };
}
