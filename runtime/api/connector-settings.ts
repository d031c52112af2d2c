/** Settings of a Connector that annotations have as well, under names of their own. Plain: the extension bundles it. */
import { readField } from './header-field.ts';
import { MAX_REQUEST_WEIGHT, MAX_RULE_LENGTH, type Protocol } from './vocabulary.ts';

export const CONNECTOR_SETTINGS = ['header', 'pathPrefix', 'weight', 'proxyProtocol'] as const;
export type ConnectorSetting = (typeof CONNECTOR_SETTINGS)[number];

const REQUEST_PROTOCOLS: readonly Protocol[] = ['http', 'http2'];

/** Why servers are not told of each connection's client. */
const WHY_NOT_PROXY: Record<Exclude<Protocol, 'tcp'>, string> = {
  http: 'a connection carries the requests of many clients, and each request names its own in X-Forwarded-For',
  http2: 'a connection carries the requests of many clients, and each request names its own in X-Forwarded-For',
  amqp: 'a connection carries the messages of many clients',
  udp: 'datagrams have no connection',
};

/** Why a value makes no sense for servers of a protocol, as a sentence; undefined where it does. `called`: what people call the setting. */
export function whyNotSetting(setting: ConnectorSetting, value: string, type: Protocol, called: string): string | undefined {
  if (setting === 'proxyProtocol') {
    if (value !== 'v2') return `${called} is "${value}"; use v2.`;
    return type === 'tcp' ? undefined : `${called} is for type tcp; ${WHY_NOT_PROXY[type]}.`;
  }
  if (!REQUEST_PROTOCOLS.includes(type))
    return `${called} is for requests: for type ${REQUEST_PROTOCOLS.join(' and ')}, not for ${type}.`;
  if (setting === 'header' && readField(value) === undefined)
    return `${called} is "${value}"; write a field and its value, such as "baggage: caravan=ada".`;
  if (setting === 'pathPrefix' && (!/^\/[^\s?#]*$/.test(value) || value.length > MAX_RULE_LENGTH))
    return `${called} is "${value}"; write the first part of a path, such as "/v2".`;
  if (setting === 'weight' && !(/^\d{1,7}$/.test(value) && Number(value) >= 1 && Number(value) <= MAX_REQUEST_WEIGHT))
    return `${called} is "${value}"; use a whole number from 1 to ${MAX_REQUEST_WEIGHT}.`;
  return undefined;
}
