/** The proxy that leads out of a company's network, as HTTPS_PROXY, ALL_PROXY and NO_PROXY name it. */
import { request as httpRequest } from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { dialProblem } from './dial-problem.ts';
import { type Endpoint, endpointName } from './endpoint.ts';
import { isExempt } from './no-proxy.ts';

export interface HttpProxy extends Endpoint {
  /** It speaks TLS itself. */
  isSecure: boolean;
  /** For `Proxy-Authorization`, where its URL has a user and a password (RFC 7617). Not for logs. */
  authorization?: string;
}

/** The proxy through which a connection goes; undefined where it goes there itself. Throws with what is wrong with the variable. */
export function proxyFor(to: Endpoint, environment: NodeJS.ProcessEnv = process.env): HttpProxy | undefined {
  const found = (name: string) => environment[name] || environment[name.toLowerCase()] || undefined;
  if (isExempt(to, found('NO_PROXY') ?? '')) return undefined;
  const [https, all] = [found('HTTPS_PROXY'), found('ALL_PROXY')];
  if (https === undefined) {
    // Often one of SOCKS, which others use.
    return all !== undefined && /^https?:/i.test(all) ? parsed(all, 'ALL_PROXY') : undefined;
  }
  const proxy = parsed(https, 'HTTPS_PROXY');
  // Caravan's own (`proxyEnvironment`): a router that is started in a terminal which it leads would dial through itself.
  return all === `socks5h://${endpointName(proxy)}` ? undefined : proxy;
}

/**
 * Asks a proxy for a connection (CONNECT: RFC 9110, section 9.3.6). Rejects with one sentence that names the proxy, and leaves no socket
 * behind, also when the signal is aborted.
 */
export function connectThrough(proxy: HttpProxy, to: Endpoint, signal: AbortSignal): Promise<Socket> {
  const { host, port, isSecure, authorization } = proxy;
  const target = endpointName(to);
  const named = `the proxy ${endpointName(proxy)}`;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = isSecure
      ? tlsConnect({ host, port, ...(isIP(host) === 0 && { servername: host }), ALPNProtocols: ['http/1.1'] })
      : connect({ host, port });
    socket.setNoDelay(true);
    const fail = (error: Error) => {
      reject(error);
      socket.destroy();
    };
    const headers = { Host: target, ...(authorization !== undefined && { 'Proxy-Authorization': authorization }) };
    const request = httpRequest({ createConnection: () => socket, method: 'CONNECT', path: target, headers, signal });
    request.on('error', (error: NodeJS.ErrnoException) => {
      const isHttp = !error.code?.startsWith('HPE_');
      const why = isHttp ? `cannot be reached: ${dialProblem(error)}` : 'does not answer as an HTTP proxy does';
      fail(new Error(`${named} ${why}`, { cause: error }));
    });
    request.on('connect', ({ statusCode = 0 }, _socket, head: Buffer) => {
      if (statusCode < 200 || statusCode > 299) return fail(new Error(`${named} ${refusal(statusCode, target, authorization)}`));
      if (head.length > 0) socket.unshift(head);
      return resolve(socket);
    });
    request.end();
  });
}

function refusal(status: number, target: string, authorization: string | undefined): string {
  if (status === 407)
    return authorization === undefined
      ? 'wants a user and a password: put them into HTTPS_PROXY, as http://USER:PASSWORD@HOST:PORT'
      : 'does not take the user and the password in HTTPS_PROXY';
  if (status === 403 || status === 405) return `lets nobody through to ${target} (${status}): ask who runs it`;
  return `does not get through to ${target} (${status})`;
}

function parsed(value: string, variable: string): HttpProxy {
  const written = /^[a-z][a-z\d+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  const url = URL.canParse(written) ? new URL(written) : undefined;
  // What it says is not told: a password may stand in it.
  if (!url?.hostname || !/^https?:$/.test(url.protocol))
    throw new Error(`${variable} is no URL that links can use: write http://HOST:PORT or https://HOST:PORT`);
  const isSecure = url.protocol === 'https:';
  const userinfo = `${decoded(url.username)}:${decoded(url.password)}`;
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || (isSecure ? 443 : 80)),
    isSecure,
    ...(userinfo !== ':' && { authorization: `Basic ${Buffer.from(userinfo).toString('base64')}` }),
  };
}

/** A `%` that a person did not mean as the beginning of a code stays. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
