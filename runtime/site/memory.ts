import type { Clock } from '../clock.ts';
import { Grants } from '../identity/grants.ts';
import { type Identity, loadIdentity } from '../identity/identity.ts';
import { IssuedCertificates } from '../identity/issued.ts';
import { AutoListeners } from './auto-listeners.ts';
import { LinkCertificates, type RenewedCertificates } from './link-certificates.ts';
import { type ProxyWish, SiteProxy } from './site-proxy.ts';
import type { SiteStore } from './store.ts';
import { StoreSource } from './store-source.ts';

/** What a site remembers from one start to the next. */
export interface SiteMemory {
  identity: Identity;
  issued: IssuedCertificates;
  grants: Grants;
  renewed: RenewedCertificates;
  auto: AutoListeners;
  proxy: ProxyWish | undefined;
  commands: StoreSource;
}

/** Rejects where the store cannot be read. */
export async function remember(store: SiteStore, clock: Clock): Promise<SiteMemory> {
  return {
    identity: await loadIdentity(store, clock.now()),
    issued: await IssuedCertificates.load(store),
    grants: await Grants.load(store),
    renewed: await LinkCertificates.remembered(store),
    auto: await AutoListeners.load(store),
    proxy: await SiteProxy.remembered(store),
    commands: new StoreSource(store),
  };
}
