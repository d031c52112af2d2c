import type { Peer } from './peer.ts';

/** No way at all: what client, server and machine allow. */
export const direct: Peer = {
  name: 'direct',
  title: 'direct',
  whyNot: () => undefined,
  start: ({ port, between }) => between?.(port) ?? Promise.resolve(port),
};
