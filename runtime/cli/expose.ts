import { AGGREGATES, DISTRIBUTIONS, MAX_REQUEST_WEIGHT, PROTOCOLS } from '../api/vocabulary.ts';
import {
  oneOf,
  OUTPUT_OPTION,
  parseArguments,
  required,
  SOCKET_OPTION,
  UsageError,
  wantsJson,
  wholeNumber,
} from './arguments.ts';
import type { Command } from './command.ts';
import { connectToSite } from './connect.ts';
import { readKeyPair, readPem } from './read-pem.ts';

export const command: Command = {
  help: `Usage: caravan expose ADDRESS --port PORT [--host HOST] [--type TYPE] [--distribution HOW]
                      [--aggregate FORM] [--header 'NAME: VALUE'] [--path-prefix PATH] [--weight N] [--proxy-protocol v2]
                      [--tls [--tls-ca FILE] [--tls-name NAME] | --tls-insecure] [--tls-cert FILE --tls-key FILE] [--listener-tls SECRET]

Offers a server to the whole network at ADDRESS: makes a Connector. "caravan remove connector NAME" takes it back.

  --port PORT           where the server listens; clients see the same port
  --host HOST           the server's host; default 127.0.0.1
  --type TYPE           tcp (default), http, http2, udp or amqp
  --distribution HOW    among several servers of the address: balanced (default), closest, or multicast to all (udp and http)
  --aggregate FORM      of http that goes to all: one answer of all answers, json or multipart; without it, 202 at once
  --header 'NAME: VALUE' take only requests with this field, or with this in its list. http and http2
  --path-prefix PATH    take only requests for PATH and what is below it. http and http2
  --weight N            its share of the requests; default 1 where another server has one. http and http2
  --proxy-protocol v2   tell the server where each connection's client is. tcp
  --tls                 the server speaks TLS, and its certificate is verified with the system's authorities
  --tls-ca FILE         ... with this authority (PEM) instead
  --tls-name NAME       the name that the certificate must have; default: the host
  --tls-insecure        the server speaks TLS, and its certificate is not verified
  --tls-cert, --tls-key FILE  the server asks for a certificate: it is shown this (PEM); both are copied to the site's store
  --listener-tls SECRET in clusters, clients speak TLS: each namespace shows them the certificate of its Secret of this name
  -o json               print what was made, for programs
  --socket PATH_OR_NAME the running site
`,
  async run(args, io) {
    const text = { type: 'string' } as const;
    const yes = { type: 'boolean' } as const;
    const options = {
      port: text,
      host: text,
      type: text,
      distribution: text,
      aggregate: text,
      header: text,
      'path-prefix': text,
      weight: text,
      'proxy-protocol': text,
      tls: yes,
      'tls-ca': text,
      'tls-name': text,
      'tls-insecure': yes,
      'tls-cert': text,
      'tls-key': text,
      'listener-tls': text,
      ...SOCKET_OPTION,
      ...OUTPUT_OPTION,
    };
    const { values, positionals } = parseArguments(args, options, ['ADDRESS']);
    const json = wantsJson(values.output);
    const port = wholeNumber('--port', required('--port', values.port), 1, 65_535);
    const type = oneOf('--type', values.type, PROTOCOLS);
    const distribution = oneOf('--distribution', values.distribution, DISTRIBUTIONS);
    const aggregate = oneOf('--aggregate', values.aggregate, AGGREGATES);
    const { header, 'path-prefix': pathPrefix } = values;
    const weight = values.weight === undefined ? undefined : wholeNumber('--weight', values.weight, 1, MAX_REQUEST_WEIGHT);
    const proxyProtocol = oneOf('--proxy-protocol', values['proxy-protocol'], ['v2']);
    const address = positionals[0]!;
    const { 'tls-ca': authority, 'tls-name': serverName, 'tls-insecure': insecure } = values;
    const { 'tls-cert': certificate, 'tls-key': key } = values;
    const shows = certificate !== undefined || key !== undefined;
    if (insecure && authority !== undefined)
      throw new UsageError('--tls-insecure and --tls-ca exclude each other: verify the certificate, or do not.');
    const tls = (values.tls || insecure || authority !== undefined || serverName !== undefined || shows) && {
      ...(authority !== undefined && { authority: await readPem('--tls-ca', authority) }),
      ...(serverName !== undefined && { serverName }),
      ...(insecure && { insecure }),
      ...(shows && { client: await readKeyPair(certificate, key) }),
    };
    const { 'listener-tls': listenerCredentials } = values;
    const client = await connectToSite(values.socket);
    const made = await client.expose({
      address,
      port,
      ...(values.host && { host: values.host }),
      ...(type && { type }),
      ...(distribution && { distribution }),
      ...(aggregate && { aggregate }),
      ...(header !== undefined && { header }),
      ...(pathPrefix !== undefined && { pathPrefix }),
      ...(weight !== undefined && { weight }),
      ...(proxyProtocol && { proxyProtocol }),
      ...(tls && { tls }),
      ...(listenerCredentials !== undefined && { listenerCredentials }),
    });
    const server = `${values.host ?? '127.0.0.1'}:${port}`;
    io.out(json ? `${JSON.stringify(made)}\n` : `${address} is exposed: it leads to ${server} (connector ${made.name}).\n`);
  },
};
