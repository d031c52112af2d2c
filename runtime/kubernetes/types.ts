/**
 * What the extension and the CLI ask of a cluster. `index.ts` exports functions with these shapes; this file has types only, so that
 * anything may import it without loading the client. Every remote call takes a signal, has a time limit of its own (default
 * 10 s), and fails with a `CaravanError` whose message is one sentence.
 */
import type { Duplex } from 'node:stream';
import type { ConnectorSetting } from '../api/connector-settings.ts';
import type { Aggregate, Protocol, Distribution, TlsMode } from '../api/vocabulary.ts';

/** A kubeconfig: one path, or several joined as in KUBECONFIG. Default: KUBECONFIG, else ~/.kube/config. */
export type KubeconfigPaths = string | undefined;

export interface ContextInfo {
  name: string;
  cluster: string;
  user: string;
  /** The context's own namespace, `default` where it names none. */
  namespace: string;
  server: string;
  current: boolean;
  /** The kubeconfig that names it first. */
  file: string;
}

export interface KubeconfigState {
  /** Every file that was looked at. `problem`: one sentence where it is missing or broken; the others are still read. */
  files: { path: string; problem?: string }[];
  contexts: ContextInfo[];
}

export interface ContextRef {
  kubeconfig?: KubeconfigPaths;
  context: string;
}
export interface NamespaceRef extends ContextRef {
  namespace: string;
}

export interface CallOptions {
  signal?: AbortSignal;
  /** Milliseconds. */
  timeoutMs?: number;
}

/** How links come in: which Service type `caravan-links` gets, or through an Ingress, which ends TLS, or not at all. */
export type WayIn = 'LoadBalancer' | 'NodePort' | 'Ingress' | 'none';

export interface IngressWish {
  /** Where others reach it: `https://shop.example.com`, or with a path. */
  url: string;
  /** Default: the cluster's own. */
  className?: string;
}

export interface SiteInCluster {
  namespace: string;
  name: string;
  version: string;
  /** The router's pod is ready. */
  ready: boolean;
  /** Why it is not: one sentence from the Deployment's and pods' conditions (`ImagePullBackOff: …`). */
  message?: string;
  wayIn: WayIn;
}

export interface SitesInContext {
  sites: SiteInCluster[];
  /** Namespaces seen; where they may not be listed, the context's own. */
  namespaces: string[];
  /** One sentence where rights limited what could be looked at. */
  limited?: string;
}

export interface CreateSiteRequest extends UpgradeSiteRequest {
  /** The site's name; default `<namespace>`. One that is there keeps its own. */
  name?: string;
  wayIn: WayIn;
  /** Of the way in `Ingress`. */
  ingress?: IngressWish;
  /** Makes the namespace where there is none. Who may not make any is told so only where it is not there. */
  createNamespace?: boolean;
}

export interface UpgradeSiteRequest extends NamespaceRef {
  /** The router's image. Default: the one that it has, else `node:24-alpine`. */
  image?: string;
  /**
   * A part of a pod template, merged into the router's: `{spec: {imagePullSecrets: [{name: mirror}]}}`. Default: what was merged into it before;
   * `{spec: {}}` takes that away.
   */
  podTemplate?: object;
  /** Folder of the bundles that the pod runs. Default: where the running bundle lies. Tests give another. */
  bundles?: string;
}

/** Steps worth a line of progress: `Making the Deployment`, `Waiting for the router's pod`. */
export type Progress = (step: string) => void;

export type WorkloadKind = 'Service' | 'Deployment' | 'StatefulSet' | 'DaemonSet';
export const WORKLOAD_KINDS: readonly WorkloadKind[] = ['Service', 'Deployment', 'StatefulSet', 'DaemonSet'];

export interface WorkloadRef extends NamespaceRef {
  kind: WorkloadKind;
  name: string;
}

/** A workload that makes pods. */
export interface PodMaker {
  kind: Exclude<WorkloadKind, 'Service'>;
  name: string;
}

export interface PodEnvironmentRequest extends NamespaceRef, PodMaker {
  /** Default: the one that kubectl would take, else the first. */
  container?: string;
  /** Whether Secrets are read; default false. */
  secrets?: boolean;
}

export interface PodEnvironment {
  variables: Record<string, string>;
  /** What is left out since Secrets were not read: `DB_PASSWORD (Secret db)`, `all of Secret db`. */
  secrets: string[];
  /** What else could not be had, each without a full stop: `LEVEL is level of ConfigMap app, which is not there`. */
  missing: string[];
}

/** What a workload's annotations ask for. */
export interface Exposure {
  address: string;
  type: Protocol;
  distribution: Distribution;
  /** What is made of the answers where requests go to all; none: they are not waited for. */
  aggregate?: Aggregate;
  /** As a Connector has them. */
  settings?: Partial<Record<ConnectorSetting, string>>;
  /** Its servers speak TLS. */
  tls?: ExposedTls;
  /** The Secret with the certificate that its clients are shown; each site has its own. Without it they speak plainly. */
  listenerCredentials?: string;
  /** Empty: to be taken from the object's own ports. */
  ports: ExposedPort[];
}

/** How TLS is spoken with servers. At least one of `mode` and `credentials` is there. */
export interface ExposedTls {
  mode?: TlsMode;
  /** The Secret whose `ca.crt` verifies them. */
  credentials?: string;
  /** They are shown the certificate of that Secret. */
  useClientCert?: true;
  /** What their certificate is for. */
  serverName?: string;
}

export interface ExposedPort {
  /** What clients use. */
  port: number;
  /** Where the pods listen. */
  targetPort: number;
  /** A Service's target port may be a name, which each pod resolves for itself; `targetPort` is then the Service's own port. */
  targetName?: string;
}

/** What `runtime/kubernetes/index.ts` exports, as one type: the extension's services take it, so that tests can give another. */
export interface Kubernetes {
  /** Reads the files now; never throws. */
  readKubeconfig(paths?: KubeconfigPaths): Promise<KubeconfigState>;
  findSites(ref: ContextRef, options?: CallOptions): Promise<SitesInContext>;
  /** Calls back whenever sites in the context may have changed (created, ready, deleted); ends with the signal; reconnects by itself. */
  watchSites(ref: ContextRef, changed: () => void, signal: AbortSignal): void;
  /**
   * Applies everything and waits until the router's pod is ready (default limit 120 s). A site that is there is upgraded, too,
   * and gets this way in; it keeps the rest. A router that does not get ready gives way to the one that ran before.
   */
  createSite(request: CreateSiteRequest, progress?: Progress, options?: CallOptions): Promise<SiteInCluster>;
  /** Brings a site to this version and waits until its router's pod is ready, as `createSite` does; the site keeps all that it has. */
  upgradeSite(request: UpgradeSiteRequest, progress?: Progress, options?: CallOptions): Promise<SiteInCluster>;
  /**
   * Removes everything that Caravan made in the namespace; the namespace itself only if Caravan made it and nothing else is in it. Resolves
   * to why it stays, in one sentence, where Caravan made it.
   */
  deleteSite(ref: NamespaceRef, progress?: Progress, options?: CallOptions): Promise<string | undefined>;
  /** What the site's router said last, at most 2,000 lines; where it starts again and again, what it said before it ended. */
  siteLog(ref: NamespaceRef, options?: CallOptions): Promise<string>;
  /** Opens a connection to a port of the site's router pod through the API server's port-forward. */
  connectToSite(ref: NamespaceRef, port: 'api' | 'links', options?: CallOptions): Promise<Duplex>;
  /** What makes pods in a namespace, and is not Caravan's own. */
  podMakers(ref: NamespaceRef, options?: CallOptions): Promise<PodMaker[]>;
  /** The environment of a workload's pods. */
  podEnvironment(request: PodEnvironmentRequest, options?: CallOptions): Promise<PodEnvironment>;
  /** The annotations the live object has now, or undefined where there is no such object. */
  readAnnotations(ref: WorkloadRef, options?: CallOptions): Promise<Record<string, string> | undefined>;
  /** Sets annotations of the live object; null removes one. */
  annotate(ref: WorkloadRef, annotations: Record<string, string | null>, options?: CallOptions): Promise<void>;
}
