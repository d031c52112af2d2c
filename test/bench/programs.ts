/** The programs that the bench runs beside Caravan: Debian's package of each, and the option that prints its version. */
export const PROGRAMS = {
  haproxy: { package: 'haproxy', version: '-v' },
  stunnel4: { package: 'stunnel4', version: '-version' },
  sshd: { package: 'openssh-server', version: '-V' },
  ssh: { package: 'openssh-client', version: '-V' },
  iperf3: { package: 'iperf3', version: '--version' },
  wrk: { package: 'wrk', version: '-v' },
  nginx: { package: 'nginx-light', version: '-v' },
  h2load: { package: 'nghttp2-client', version: '--version' },
  nghttpd: { package: 'nghttp2-server', version: '--version' },
} as const satisfies Record<string, { package: string; version: string }>;
