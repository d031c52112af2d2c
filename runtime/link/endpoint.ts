/** Where a site's port for links is reached. */
export interface Endpoint {
  host: string;
  port: number;
}

/** `203.0.113.7:8443`, `[2001:db8::7]:8443`. */
export function endpointName({ host, port }: Endpoint): string {
  return `${hostInUrl(host)}:${port}`;
}

export function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
