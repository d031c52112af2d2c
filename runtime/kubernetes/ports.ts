/**
 * The router's ports inside its pod. Plain constants: the manifests that `install/` makes and the process that runs in the pod
 * both take them from here, so that they cannot disagree.
 */

/** Links and claims come in here: behind the Service `caravan-links`, or through the API server's port-forward. */
export const LINKS_PORT = 8443;
/** Tunnels come in here, in plain HTTP: from an Ingress, which ends TLS before it. Open only where that is the way in. */
export const TUNNEL_PORT = 8480;
/** The management API, on the pod's loopback only: reached by port-forward, whose right the API server checks. */
export const API_PORT = 9191;
/** `GET /healthz` and `/livez` on every address: the kubelet's probes. */
export const HEALTH_PORT = 9090;

/**
 * Ports that proxy Services point at, given out by the controller from the first on. Below Linux' ephemeral range (32768), so that
 * no outgoing connection of the router can hold one.
 */
export const FIRST_LISTENER_PORT = 10_000;
export const LAST_LISTENER_PORT = 29_999;
