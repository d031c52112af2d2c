/** What a site counts, for Prometheus: pure, from its status. */
import type { ServerResponse } from 'node:http';
import type { Status } from './types.ts';

interface Metric {
  type: 'counter' | 'gauge';
  help: string;
  samples: [labels: Record<string, string>, value: number | undefined][];
}

/**
 * The status in Prometheus' text format. Labels are names that a site's owner chose, of links, listeners and connectors; never a client,
 * a pod or an address of messages, of which there may be any number.
 * Protocol: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function metricsText(status: Status, process: { residentBytes: number; processorSeconds: number }): string {
  return Object.entries(metricsOf(status, process))
    .map(([name, metric]) => samplesText(name, metric))
    .join('');
}

/** Answers with the metrics of this process. */
export function sendMetrics(response: ServerResponse, status: Status): void {
  const { user, system } = process.cpuUsage();
  const text = metricsText(status, { residentBytes: process.memoryUsage.rss(), processorSeconds: (user + system) / 1e6 });
  const headers = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'content-length': Buffer.byteLength(text) };
  response.writeHead(200, { ...headers, 'cache-control': 'no-store' }).end(text);
}

function metricsOf(
  { site, router, sites, links, services, listeners, connectors, problems }: Status,
  { residentBytes, processorSeconds }: { residentBytes: number; processorSeconds: number },
): Record<string, Metric> {
  const ofLink = links.map((link) => ({ link, labels: { link: link.id, peer: link.peer ?? '', direction: link.direction } }));
  const ofListener = listeners.map((listener) => {
    const { name, address, type } = listener;
    return { listener, labels: { listener: name, address, type } };
  });
  const ofConnector = connectors.map((connector) => {
    const { name, address, type } = connector;
    return { connector, labels: { connector: name, address, type } };
  });
  return {
    caravan_info: gauge('1, with what runs here.', [[{ site: site.name, site_id: site.id, version: site.version }, 1]]),
    caravan_start_time_seconds: gauge('When the router started.', [[{}, Date.parse(router.startTime) / 1000]]),
    caravan_resident_memory_bytes: gauge('Memory of the router.', [[{}, residentBytes]]),
    caravan_processor_seconds_total: counter('Time of processors that the router took.', [[{}, processorSeconds]]),
    caravan_sites: gauge('Sites of the network that can be reached, this one among them.', [[{}, sites.filter(({ reachable }) => reachable).length]]),
    caravan_services: gauge('Services of the network.', [[{}, services.length]]),
    caravan_services_unoffered: gauge('Services with nothing behind them that is ready.', [[{}, services.filter(({ destinations }) => destinations.length === 0).length]]),
    caravan_problems: gauge('What is wrong with the wished state of this site.', [[{}, problems.length]]),
    caravan_certificate_end_time_seconds: gauge('When the certificate ends that this site shows.', [[{}, site.certificateEnds === undefined ? undefined : Date.parse(site.certificateEnds) / 1000]]),
    caravan_link_up: gauge('Whether a link is up.', ofLink.map(({ link, labels }) => [labels, Number(link.state === 'up')])),
    caravan_link_round_trip_seconds: gauge('Of the last ping.', ofLink.map(({ link, labels }) => [labels, link.rttMs === undefined ? undefined : link.rttMs / 1000])),
    caravan_link_streams: gauge('Streams that are open on a link.', ofLink.map(({ link, labels }) => [labels, link.streams])),
    caravan_link_received_bytes_total: counter('Since the link came up.', ofLink.map(({ link, labels }) => [labels, link.bytesIn])),
    caravan_link_sent_bytes_total: counter('Since the link came up.', ofLink.map(({ link, labels }) => [labels, link.bytesOut])),
    caravan_listener_open: gauge('Whether clients can connect.', ofListener.map(({ listener, labels }) => [labels, Number(listener.state === 'open')])),
    caravan_listener_connections: gauge('Clients that are connected; of udp, flows.', ofListener.map(({ listener, labels }) => [labels, listener.connections])),
    caravan_listener_connections_total: counter('Clients that ever connected; of udp, flows.', ofListener.map(({ listener, labels }) => [labels, listener.totals?.connections])),
    caravan_listener_requests_total: counter('Requests; of http and http2.', ofListener.map(({ listener, labels }) => [labels, listener.totals?.requests])),
    caravan_listener_unserved_total: counter('Connections and requests that no server took.', ofListener.map(({ listener, labels }) => [labels, listener.totals?.unserved])),
    caravan_connector_ready: gauge('Whether a connector has servers.', ofConnector.map(({ connector, labels }) => [labels, Number(connector.state === 'ready')])),
    caravan_connector_servers: gauge('Servers behind a connector.', ofConnector.map(({ connector, labels }) => [labels, connector.targets.length])),
    caravan_connector_connections: gauge('Connections to the servers of a connector.', ofConnector.map(({ connector, labels }) => [labels, connector.connections])),
  }; // prettier-ignore
}

function gauge(help: string, samples: Metric['samples']): Metric {
  return { type: 'gauge', help, samples };
}

function counter(help: string, samples: Metric['samples']): Metric {
  return { type: 'counter', help, samples };
}

/** Nothing of a metric that has no samples. */
function samplesText(name: string, { type, help, samples }: Metric): string {
  const lines = samples.flatMap(([labels, value]) => (value === undefined ? [] : [`${name}${labelsText(labels)} ${value}\n`]));
  return lines.length === 0 ? '' : [`# HELP ${name} ${help}\n`, `# TYPE ${name} ${type}\n`, ...lines].join('');
}

function labelsText(labels: Record<string, string>): string {
  const parts = Object.entries(labels).map(([key, value]) => `${key}="${value.replace(/[\\"\n]/g, escaped)}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

function escaped(character: string): string {
  return character === '\n' ? '\\n' : `\\${character}`;
}
