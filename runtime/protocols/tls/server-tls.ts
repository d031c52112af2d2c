/** How a listener ends its clients' TLS. PEM. */
export interface ServerTls {
  certificate: string;
  key: string;
  /** Clients must show a certificate that this authority signed. */
  clientAuthority?: string;
  /** What clients may speak within (ALPN), best first; `ANY_ALPN` stands for whatever the client likes best. */
  alpn: readonly string[];
}

export const ANY_ALPN = '*';
