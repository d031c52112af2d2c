/** What Caravan's objects are called and how they are found again: plain constants, no client. */

export const CARAVAN = 'caravan';
/** Who owns a field, in server-side apply's terms. */
export const FIELD_MANAGER = 'caravan';

/** On every object that Caravan makes: `deleteSite` removes what carries both. */
export const OWN_LABELS = { 'app.kubernetes.io/name': 'caravan', 'app.kubernetes.io/managed-by': 'caravan' } as const;
export const OWN_SELECTOR = 'app.kubernetes.io/name=caravan,app.kubernetes.io/managed-by=caravan';

export const COMPONENT = 'app.kubernetes.io/component';
/** What a Service selects to reach the router's pods. */
export const ROUTER_LABELS = { 'app.kubernetes.io/name': 'caravan', [COMPONENT]: 'router' } as const;
export const ROUTER_SELECTOR = 'app.kubernetes.io/name=caravan,app.kubernetes.io/component=router';
export const VERSION_LABEL = 'app.kubernetes.io/version';

export const LINKS_SERVICE = 'caravan-links';
export const LINKS_INGRESS = 'caravan-links';
/** The port of that Service which takes tunnels from the Ingress. */
export const TUNNELS = 'tunnels';
/** What the names of ConfigMaps with a runtime begin with; its digest follows. */
export const RUNTIME_CONFIG = 'caravan-runtime';
export const SITE_CONFIG = 'caravan-site';
/** A ConfigMap with this label, whatever its value, holds resources: every key that ends in `.yaml` or `.yml`. */
export const RESOURCE_LABEL = 'skupper.io/resource';

/** On a Service of somebody's that points at the router for a while: what its owner wrote. */
export const ORIGINAL_ANNOTATION = 'caravan/original';
/** On a Secret of the store: the entry's name, which the Secret's own name cannot tell (`/` and `.` look alike there). */
export const ENTRY_ANNOTATION = 'caravan/entry';
/** On the Deployment: the site's name, for lists. */
export const SITE_ANNOTATION = 'caravan/site';
/** On the Deployment: what was wished of its pods beside what Caravan makes, as JSON; applying it again keeps that. */
export const POD_TEMPLATE_ANNOTATION = 'caravan/pod-template';
/** On a namespace that `createSite` made; only such a one is deleted with its site. */
export const MADE_NAMESPACE_ANNOTATION = 'caravan/made-namespace';
/** On a proxy Service: the address that it stands for. Where it stays and our labels do not, somebody has taken the Service over. */
export const ADDRESS_ANNOTATION = 'caravan/address';
/** On a proxy Service: its address' protocol, for a router that restarts before it hears of the address again. */
export const TYPE_ANNOTATION = 'caravan/type';
/** For such a router, too: the Secret with the certificate that clients of the Service are shown; empty where they speak plainly. */
export const CREDENTIALS_ANNOTATION = 'caravan/tls-credentials';
