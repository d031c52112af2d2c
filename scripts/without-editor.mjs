/**
 * An environment without what a surrounding VS Code or npm sets: code-server in a terminal of VS Code would open the folder there, and `PORT` and
 * `PASSWORD` are options to it.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {Record<string, string>}
 */
export function withoutEditor(env) {
  const dropped = /^(VSCODE_|CODE_SERVER_|CS_|ELECTRON_|npm_|PORT$|PASSWORD$|HASHED_PASSWORD$|NODE_OPTIONS$|NODE_TEST_CONTEXT$)/;
  return Object.fromEntries(Object.entries(env).filter(([name, value]) => value !== undefined && !dropped.test(name)));
}
