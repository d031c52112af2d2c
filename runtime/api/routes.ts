/** Every route of the management API but the watch: what it takes, what it calls, what it answers. */
import type { SiteControl } from './control.ts';
import {
  exposeBody,
  interceptBody,
  issueTokenBody,
  listenBody,
  parseBody,
  proxyBody,
  redeemTokenBody,
  revokeBody,
} from './bodies.ts';
import type { MadeResource } from './types.ts';

export interface Answer {
  status: number;
  body?: unknown;
  /** What was intercepted, and whether the connection holds it. */
  intercept?: { made: MadeResource; hold: boolean };
}
type Handler = (control: SiteControl, body: string, name: string) => Answer | Promise<Answer>;

const remove =
  (kind: MadeResource['kind']): Handler =>
  async (control, _body, name) => {
    await control.remove({ kind, name });
    return { status: 204 };
  };

/** Keyed by method and path; `:name` stands for one path segment. */
const ROUTES: Record<string, Handler> = {
  'GET /v1/status': (control) => ({ status: 200, body: control.status() }),
  'GET /v1/explain/:name': (control, _body, address) => ({ status: 200, body: control.explain(address) }),
  'POST /v1/tokens': async (control, body) => ({ status: 201, body: await control.issueToken(parseBody(issueTokenBody, body)) }),
  'POST /v1/links': async (control, body) => ({ status: 201, body: await control.redeemToken(parseBody(redeemTokenBody, body)) }),
  'POST /v1/connectors': async (control, body) => ({ status: 201, body: await control.expose(parseBody(exposeBody, body)) }),
  'POST /v1/intercepts': async (control, body) => {
    const request = parseBody(interceptBody, body);
    const made = await control.intercept(request);
    return { status: 201, body: made, intercept: { made, hold: request.hold ?? false } };
  },
  'POST /v1/listeners': async (control, body) => ({ status: 201, body: await control.listen(parseBody(listenBody, body)) }),
  'POST /v1/revoke': async (control, body) => ({
    status: 200,
    body: { revoked: await control.revoke(parseBody(revokeBody, body).site) },
  }),
  'POST /v1/leave': async (control) => {
    await control.leave();
    return { status: 204 };
  },
  'POST /v1/proxy': async (control, body) => ({ status: 201, body: await control.openProxy(parseBody(proxyBody, body)) }),
  'DELETE /v1/proxy': async (control) => {
    await control.closeProxy();
    return { status: 204 };
  },
  'DELETE /v1/links/:name': remove('Link'),
  'DELETE /v1/listeners/:name': remove('Listener'),
  'DELETE /v1/connectors/:name': remove('Connector'),
};

/** The route's handler and the name in its path, decoded; undefined where there is no such route. */
export function findRoute(method: string, path: string): { handler: Handler; name: string } | undefined {
  const plain = ROUTES[`${method} ${path}`];
  if (plain && !path.includes(':')) return { handler: plain, name: '' };
  const cut = path.lastIndexOf('/');
  const handler = ROUTES[`${method} ${path.slice(0, cut)}/:name`];
  const name = decode(path.slice(cut + 1));
  return handler && name ? { handler, name } : undefined;
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
