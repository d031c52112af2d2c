import { registerHooks } from 'node:module';
import { after } from 'node:test';

/** Makes the source of a module what `vscode` is in this file's tests. Returns its URL: what it exports is had by importing that. */
export function standInForVSCode(source: string): string {
  const url = `data:text/javascript,${encodeURIComponent(source)}`;
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'vscode' ? { url, format: 'module', shortCircuit: true } : next(specifier, context),
  });
  after(() => hooks.deregister());
  return url;
}
