/** What annotations and their values mean, in people's words: hovers and completions say the same. Markdown. */
import type { Aggregate, Distribution, Protocol, TlsMode } from '../../runtime/api/vocabulary.ts';
import {
  ADDRESS,
  AGGREGATE,
  DISTRIBUTION,
  type EXPOSURE_ANNOTATIONS,
  PORT,
  PROXY,
} from '../../runtime/kubernetes/annotations.ts';
import { HEADER, PATH_PREFIX, PROXY_PROTOCOL, WEIGHT } from '../../runtime/kubernetes/setting-annotations.ts';
import { TLS, TLS_CERT, TLS_CLIENT_CERT, TLS_SERVER_NAME, TLS_TRUST } from '../../runtime/kubernetes/tls-annotations.ts';

export type AnnotationKey = (typeof EXPOSURE_ANNOTATIONS)[number];

export const KEY_TEXTS: Record<AnnotationKey, { short: string; text: string }> = {
  [PROXY]: {
    short: 'expose on the network',
    text: 'Exposes this object: every linked namespace gets a Service that leads here, every joined laptop a port. The value says what its clients speak.',
  },
  [ADDRESS]: {
    short: "the name on the network; default: the object's",
    text: "The name under which the whole network reaches it. Without it, the object's own name. Objects with the same address share its clients.",
  },
  [PORT]: {
    short: "the port, default: the object's own",
    text: 'The port that clients use. `80:8080` leads their port 80 to port 8080 of the pods; several are `80:8080,443:8443`. Without it, every port that the object names.',
  },
  [DISTRIBUTION]: {
    short: 'who takes a new connection',
    text: 'Who takes a new connection or request, where several offer the address. Without it, `balanced`.',
  },
  [AGGREGATE]: {
    short: 'one answer of all answers',
    text: 'Where `http` requests go to all (`multicast`): what their answers become. Without it nobody waits for them: the client gets `202`.',
  },
  [HEADER]: {
    short: 'only requests with this field',
    text: 'It takes only requests with this field and value, or with it in a list: `baggage: caravan=ada`. The others go to whoever else offers the address. For http and http2.',
  },
  [PATH_PREFIX]: {
    short: 'only requests for this path and below it',
    text: 'It takes only requests for this path, such as `/v2`, and what is below it. The others go to whoever else offers the address. For http and http2.',
  },
  [WEIGHT]: {
    short: 'its share of the requests',
    text: 'Its share of the requests of its address: beside one without a weight, `"3"` gets three of four. For http and http2.',
  },
  [PROXY_PROTOCOL]: {
    short: 'tell its servers where clients are',
    text: 'With `v2` its servers are told where each client is, before its first byte (the PROXY protocol of HAProxy). For tcp.',
  },
  [TLS]: {
    short: 'its servers speak TLS',
    text: 'Its servers speak TLS. The value says how they are verified where `skupper.io/tls-trust` names no authority.',
  },
  [TLS_TRUST]: {
    short: 'its servers speak TLS: the Secret with ca.crt',
    text: 'Its servers speak TLS, and `ca.crt` of this Secret, in the same namespace, is the authority that signed their certificates.',
  },
  [TLS_SERVER_NAME]: {
    short: 'the name on the certificates of its servers',
    text: 'The name that its servers are asked for, and that their certificates must be for. Without it, of a Service: `NAME.NAMESPACE.svc`.',
  },
  [TLS_CLIENT_CERT]: {
    short: 'show its servers a certificate',
    text: 'With `"true"` its servers are shown `tls.crt` of the Secret that `skupper.io/tls-trust` names, with its `tls.key`.',
  },
  [TLS_CERT]: {
    short: 'its clients speak TLS: the Secret with tls.crt and tls.key',
    text: 'Its clients speak TLS: the Secret of this name in their own namespace has the certificate that they are shown, `tls.crt` and `tls.key`. Where there is none they are refused. Ports of laptops speak plainly.',
  },
};

export const PROTOCOL_TEXTS: Record<Protocol, string> = {
  tcp: 'Any connection, TLS included: bytes pass as they are.',
  http: 'HTTP/1.1 and WebSocket. Each request goes to the best place at that moment.',
  http2: 'HTTP/2 and gRPC. Each request, each call, goes to the best place at that moment.',
  amqp: 'AMQP 1.0. Each message goes to whoever receives from its address.',
  udp: 'Datagrams: DNS, games, voice. What one client sends goes to one place, and answers come back.',
};

export const DISTRIBUTION_TEXTS: Record<Distribution, string> = {
  balanced: 'Every connection goes where the fewest are open, farther places less often.',
  closest: 'Every connection goes to the nearest place by link cost; others take over when it has nobody ready.',
  multicast: 'A copy to every place. For udp and http; of amqp the address says it: `mc/NAME`.',
};

export const AGGREGATE_TEXTS: Record<Aggregate, string> = {
  json: 'An array of the answers.',
  multipart: 'The answers, each with its own type (`multipart/mixed`).',
};

export const TLS_TEXTS: Record<TlsMode, string> = {
  true: 'Verified with the authorities that the system of the router trusts.',
  insecure: 'Not verified: whoever answers is taken for the server.',
};

/** Text that others wrote, so that no part of it is Markdown. */
export function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!|<>~&]/g, '\\$&');
}
