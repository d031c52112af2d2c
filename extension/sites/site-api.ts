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
} from '../../runtime/api/types.ts';
import type { SiteRef } from './site-ref.ts';

/** What the extension asks of a running site: the shape of `ApiClient`, so that tests can answer in its place. */
export interface SiteApi {
  status(signal?: AbortSignal): Promise<Status>;
  /** A status now, and another after every change; ends or fails with the connection. */
  watch(signal: AbortSignal): AsyncIterable<Status>;
  explain(address: string, signal?: AbortSignal): Promise<Explanation>;
  issueToken(request: IssueTokenRequest, signal?: AbortSignal): Promise<IssuedToken>;
  redeemToken(request: RedeemTokenRequest, signal?: AbortSignal): Promise<RedeemedLink>;
  expose(request: ExposeRequest, signal?: AbortSignal): Promise<MadeResource>;
  intercept(request: InterceptRequest, signal?: AbortSignal): Promise<MadeIntercept>;
  /** Until the signal aborts, or this window ends; `lost` where the site ended before. */
  interceptWhile(request: InterceptRequest, signal: AbortSignal, lost?: () => void): Promise<MadeIntercept>;
  listen(request: ListenRequest, signal?: AbortSignal): Promise<MadeResource>;
  /** Without a port one that is open stays as it is. */
  openProxy(request: ProxyRequest, signal?: AbortSignal): Promise<ProxyStatus>;
  closeProxy(signal?: AbortSignal): Promise<void>;
  remove(resource: MadeResource, signal?: AbortSignal): Promise<void>;
  /** Tells the network that the site ends for good; it runs on. */
  leave(signal?: AbortSignal): Promise<void>;
  /** Ends the site's process: for those on this computer. */
  stop(signal?: AbortSignal): Promise<void>;
}

export type OpenSite = (ref: SiteRef) => SiteApi;
