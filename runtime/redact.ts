const PEM = /-----BEGIN [^-]+-----[\s\S]*?(-----END [^-]+-----|$)/g;
const SECRET = /\b(code|token|password|secret|authorization)(["']?\s*[:=]\s*["']?(?:bearer\s+)?)[^\s"',}]+/gi;

/** A text without keys, certificates, codes and passwords: a log is copied into tickets. */
export function redact(text: string): string {
  return text.replace(PEM, '[hidden]').replace(SECRET, '$1$2[hidden]');
}
