import { randomUUID } from 'node:crypto';
import type { SiteStore } from '../site/store.ts';
import type { KeyAndCertificate } from './certificates.ts';

/** Who a site is: made at its first start, kept in its store. */
export interface Identity {
  siteId: string;
  /** Signs what lets other sites in. */
  authority: KeyAndCertificate;
  /** What this site shows to those that dial it. */
  server: KeyAndCertificate;
}

const ENTRY = 'identity';

export async function loadIdentity(store: SiteStore, now = Date.now()): Promise<Identity> {
  const kept = await store.read(ENTRY);
  if (kept !== undefined) return JSON.parse(kept) as Identity;
  // Loaded here, not above: node-forge is large, and a site that has its identity never needs it to start.
  const { makeAuthority, makeServerCertificate } = await import('./certificates.ts');
  const siteId = randomUUID();
  const authority = await makeAuthority(siteId, now);
  const server = await makeServerCertificate(siteId, authority, now);
  const identity: Identity = { siteId, authority, server };
  await store.write(ENTRY, JSON.stringify(identity));
  return identity;
}

/** The same site with a new server certificate, which is kept already. */
export async function renewServerCertificate(store: SiteStore, identity: Identity, now: number): Promise<Identity> {
  const { makeServerCertificate } = await import('./certificates.ts');
  const renewed = { ...identity, server: await makeServerCertificate(identity.siteId, identity.authority, now) };
  await store.write(ENTRY, JSON.stringify(renewed));
  return renewed;
}
