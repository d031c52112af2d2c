import type {
  Explanation,
  ExposeRequest,
  InterceptRequest,
  IssuedToken,
  IssueTokenRequest,
  ListenRequest,
  MadeIntercept,
  MadeResource,
  ProxyRequest,
  ProxyStatus,
  RedeemedLink,
  RedeemTokenRequest,
  Status,
} from './types.ts';

/** Disposes of what a call registered. */
export type Unsubscribe = () => void;

/** What can be asked of a running site: `Site` implements it, the management API serves it, `ApiClient` mirrors it. */
export interface SiteControl {
  status(): Status;
  /** Calls back after every change of what `status` says, at most once a turn of the event loop. */
  onChange(changed: () => void): Unsubscribe;
  explain(address: string): Explanation;
  issueToken(request: IssueTokenRequest): Promise<IssuedToken>;
  redeemToken(request: RedeemTokenRequest): Promise<RedeemedLink>;
  expose(request: ExposeRequest): Promise<MadeResource>;
  /** Rejects with `not-found`, `bad-request` or `conflict` where a service cannot be intercepted so. */
  intercept(request: InterceptRequest): Promise<MadeIntercept>;
  listen(request: ListenRequest): Promise<MadeResource>;
  /** Opens the proxy, and again after every restart. Rejects with `conflict` where the port cannot be had, or a resource says which. */
  openProxy(request: ProxyRequest): Promise<ProxyStatus>;
  /** Rejects with `not-found` where none is open, or `conflict` where a resource wishes it. */
  closeProxy(): Promise<void>;
  /** Removes what a command made. Rejects with `not-found`, or `conflict` where it stands in a file instead. */
  remove(resource: MadeResource): Promise<void>;
  /**
   * Tells the network that this site ends for good, so that nothing of it is kept elsewhere. A site that merely ends is out of reach:
   * others keep the Services of what it offered for a while.
   */
  leave(): Promise<void>;
  /**
   * Lets a site in no more and cuts its links; the site's name or id. Resolves to the number of certificates revoked. Rejects with `conflict`,
   * and revokes nothing, where several sites have the name.
   */
  revoke(site: string): Promise<number>;
}
