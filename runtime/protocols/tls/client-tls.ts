/** How a connector speaks TLS with its servers. PEM. */
export interface ClientTls {
  /** Who signs the server's certificate. Default: the authorities that the system trusts. */
  authority?: string;
  /** Shown to a server that asks for one. */
  certificate?: string;
  key?: string;
  /** The name that is asked for (SNI), and that the certificate must have. An IP address is only the latter. */
  serverName?: string;
  /** A certificate for another name will do. */
  anyName?: true;
  /** Any certificate will do. */
  insecure?: true;
  /** What is offered (ALPN) for clients that agreed on nothing. */
  alpn?: readonly string[];
}
