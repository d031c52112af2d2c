import { memoryByServices, memoryByStreams } from './curves/memory-curves.ts';
import { requestsByServices, throughputByStreams, timeByRouters } from './curves/request-curves.ts';
import type { Curve, Row } from './row.ts';
import { amqpMessages } from './rows/amqp-messages.ts';
import { extensionActivation, extensionEntry, extensionPackage } from './rows/extension.ts';
import { grpcCalls } from './rows/grpc-calls.ts';
import { longPath } from './rows/long-path.ts';
import { routerMemory, serviceMemory, streamMemory } from './rows/memory.ts';
import { routerLine } from './rows/router-line.ts';
import { startTime } from './rows/start-time.ts';
import { tcpFourStreams, tcpOneStream } from './rows/tcp-throughput.ts';
import { udpDatagrams } from './rows/udp-datagrams.ts';
import { httpLatency, httpRequests, newConnections, tcpLatency, tcpRequests } from './rows/web-requests.ts';

/** In the order of the table. */
export const ROWS: readonly Row[] = [
  tcpOneStream,
  tcpFourStreams,
  tcpRequests,
  httpRequests,
  tcpLatency,
  httpLatency,
  newConnections,
  grpcCalls,
  amqpMessages,
  udpDatagrams,
  longPath,
  routerLine,
  routerMemory,
  streamMemory,
  serviceMemory,
  startTime,
  extensionEntry,
  extensionActivation,
  extensionPackage,
];

/** In the order of the plots. */
export const CURVES: readonly Curve[] = [
  requestsByServices,
  throughputByStreams,
  timeByRouters,
  memoryByStreams,
  memoryByServices,
];
