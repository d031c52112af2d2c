import { caravan } from './peers/caravan.ts';
import { direct } from './peers/direct.ts';
import { haproxyPair } from './peers/haproxy-pair.ts';
import { nodePair } from './peers/node-pair.ts';
import type { Peer, Target } from './peers/peer.ts';
import { sshForward } from './peers/ssh-forward.ts';
import { stunnelPair } from './peers/stunnel-pair.ts';
import type { Column } from './row.ts';
import type { Scope } from './scope.ts';

/** The columns of the table. */
export const PEERS: readonly Peer[] = [caravan, haproxyPair, stunnelPair, sshForward, nodePair, direct];

/** Starts every peer that can carry it, all to the same server; `measure` is the same client for each. */
export function acrossPeers(target: Target, scope: Scope, measure: (port: number) => Promise<number>): Promise<Column[]> {
  return Promise.all(
    PEERS.map(async (peer) => {
      const { name } = peer;
      const reason = peer.whyNot(target.protocol);
      if (reason !== undefined) return { name, reason };
      try {
        const port = await peer.start(target, scope);
        return { name, measure: () => measure(port) };
      } catch (error) {
        return { name, reason: (error as Error).message };
      }
    }),
  );
}

/** The columns where what every column needs is not there. */
export function nobody(reason: string): Column[] {
  return PEERS.map(({ name }) => ({ name, reason }));
}
