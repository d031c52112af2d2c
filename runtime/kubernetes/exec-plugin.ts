/**
 * Credentials from a program that the kubeconfig names (aws, gke-gcloud-auth-plugin, kubelogin). client-node's own has no time limit
 * and leaves stdin open, so that a plugin that asks for a password hangs whoever waits; it also leaves out KUBERNETES_EXEC_INFO.
 * Protocol: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 */
import { spawn } from 'node:child_process';
import type { RequestOptions } from 'node:https';
import type { Authenticator } from '@kubernetes/client-node/dist/auth.js';
import type { User } from '@kubernetes/client-node/dist/config_types.js';
import { CaravanError } from '../errors.ts';

/** The `auth-provider` name under which `kubeconfig.ts` hands a user's `exec` over to this. */
export const EXEC_PROVIDER = 'caravan-exec';
/** How long a plugin may take: some of them ask a server of their own. Milliseconds. */
export const EXEC_TIMEOUT_MS = 20_000;
/** A credential is asked for anew this long before it ends. Milliseconds. */
const RENEW_BEFORE_MS = 10_000;
/** Plugins answer with a few KB. Bytes. */
const MAX_OUTPUT_BYTES = 1024 * 1024;

interface ExecConfig {
  apiVersion?: string;
  command?: string;
  args?: string[] | null;
  env?: { name: string; value: string }[] | null;
  interactiveMode?: string;
  installHint?: string;
}
interface Credential {
  token?: string;
  clientCertificateData?: string;
  clientKeyData?: string;
  expirationTimestamp?: string;
}

export class ExecPlugin implements Authenticator {
  private readonly timeoutMs: number;
  private cached: Promise<Credential> | undefined;
  private goodUntil = 0;

  constructor(timeoutMs = EXEC_TIMEOUT_MS) {
    this.timeoutMs = timeoutMs;
  }

  isAuthProvider(user: User): boolean {
    return (user.authProvider as { name?: string } | null | undefined)?.name === EXEC_PROVIDER;
  }

  /** Calls at the same time share one run of the plugin. */
  async applyAuthentication(user: User, options: RequestOptions): Promise<void> {
    if (!this.cached || Date.now() > this.goodUntil) {
      this.goodUntil = Number.POSITIVE_INFINITY;
      this.cached = this.run((user.authProvider as { config: ExecConfig }).config);
    }
    try {
      const { token, clientCertificateData, clientKeyData, expirationTimestamp } = await this.cached;
      if (expirationTimestamp) this.goodUntil = Date.parse(expirationTimestamp) - RENEW_BEFORE_MS;
      if (token) options.headers = { ...(options.headers as Record<string, string>), Authorization: `Bearer ${token}` };
      if (clientCertificateData) options.cert = clientCertificateData;
      if (clientKeyData) options.key = clientKeyData;
    } catch (error) {
      this.cached = undefined;
      throw error;
    }
  }

  private async run(config: ExecConfig): Promise<Credential> {
    const command = config.command ?? '';
    if (command === '') throw new CaravanError('unauthorized', 'The kubeconfig asks for a sign-in program but names no command.');
    if (config.interactiveMode === 'Always')
      throw new CaravanError('unauthorized', `${command} signs in only in a terminal: run kubectl there once, then try again.`);
    const output = await this.spawn(command, config);
    try {
      const { status } = JSON.parse(output) as { status?: Credential };
      if (status?.token || status?.clientCertificateData) return status;
    } catch {
      // Said below: text that is no JSON and JSON without a credential are the same to the reader.
    }
    throw new CaravanError('unauthorized', `${command}, which the kubeconfig uses to sign in, gave no credential.`);
  }

  private spawn(command: string, config: ExecConfig): Promise<string> {
    const env = { ...process.env };
    for (const { name, value } of config.env ?? []) env[name] = value;
    const info = { apiVersion: config.apiVersion, kind: 'ExecCredential', spec: { interactive: false } };
    env['KUBERNETES_EXEC_INFO'] ??= JSON.stringify(info);
    return new Promise((resolve, reject) => {
      const fail = (text: string, cause?: unknown) => reject(new CaravanError('unauthorized', text, { cause }));
      const child = spawn(command, config.args ?? [], { env, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
      let out = '';
      let complaint = '';
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        // A grandchild may hold the pipes open: nobody waits for it.
        child.stdout.destroy();
        child.stderr.destroy();
        fail(`${command}, which the kubeconfig uses to sign in, did not answer within ${this.timeoutMs / 1000} s.`);
      }, this.timeoutMs);
      child.stdout.setEncoding('utf8').on('data', (text: string) => (out = (out + text).slice(0, MAX_OUTPUT_BYTES)));
      child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(-MAX_OUTPUT_BYTES)));
      child.on('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        const hint = config.installHint
          ? ` ${config.installHint.trim().split('\n')[0]}`
          : ' Install it, or add its folder to PATH.';
        const missing = error.code === 'ENOENT';
        fail(
          `${command}, which the kubeconfig uses to sign in, ${missing ? `is not found.${hint}` : `cannot be run: ${error.code}.`}`,
          error,
        );
      });
      child.on('close', (code) => {
        clearTimeout(timer);
        const last = complaint.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
        if (code === 0) resolve(out);
        else fail(`${command}, which the kubeconfig uses to sign in, failed${last ? `: ${last}` : ` with exit code ${code}`}.`);
      });
    });
  }
}
