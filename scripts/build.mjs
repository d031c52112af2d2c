// Bundles the extension and the runtime with esbuild into dist/.
//
//   dist/extension.cjs   the extension host's entry: small, loads nothing heavy at activation
//   dist/caravan.cjs     router and command line, on any Node from 20 on
//   dist/kubernetes.cjs  everything that needs @kubernetes/client-node; both of the above load it on first use
import { chmodSync, rmSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Keeps the Kubernetes client out of the other two bundles: their imports of it become a load of dist/kubernetes.cjs. */
const kubernetesApart = {
  name: 'kubernetes-apart',
  setup({ onResolve }) {
    onResolve({ filter: /\/kubernetes\/index\.ts$/ }, ({ kind }) =>
      kind === 'entry-point' ? undefined : { path: './kubernetes.cjs', external: true },
    );
  },
};

/**
 * Of the Kubernetes client only what reads a kubeconfig is used. What it would call the API server with, its own HTTP client and 700
 * generated classes, stays out: the bundle is a third of the size, and runs on Node 20.
 */
const kubeconfigOnly = {
  name: 'kubeconfig-only',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^undici$/ }, ({ path }) => ({ path, namespace: 'unused' }));
    onResolve({ filter: /^\.\/gen\/index\.js$/ }, ({ importer, path }) =>
      importer.includes('client-node') ? { path, namespace: 'unused' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: 'module.exports = {}', loader: 'js' }));
  },
};

/** Resolves to esbuild's account of what is in each bundle; without `write`, nothing else is made. */
export async function buildAll({ minify = true, write = true } = {}) {
  if (write) rmSync(`${root}/dist`, { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: {
      extension: 'extension/extension.ts',
      caravan: 'runtime/main.ts',
      kubernetes: 'runtime/kubernetes/index.ts',
    },
    outdir: 'dist',
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    external: ['vscode', 'bufferutil', 'utf-8-validate'],
    define: { 'import.meta.url': 'undefined' },
    plugins: [kubernetesApart, kubeconfigOnly],
    // No `keepNames`: it defines the name of every arrow function anew each time that one is made, which a router does for every request.
    minify,
    sourcemap: minify ? false : 'linked',
    legalComments: 'none',
    metafile: true,
    write,
    logLevel: 'warning',
  });
  // runtime/main.ts starts with "#!", which esbuild keeps: the bundle runs by its own name where it may be executed.
  if (write) chmodSync(`${root}/dist/caravan.cjs`, 0o755);
  return metafile;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const metafile = await buildAll({ minify: !process.argv.includes('--debug') });
  for (const file of Object.keys(metafile.outputs).filter((name) => name.endsWith('.cjs')))
    console.log(`${file}  ${(statSync(`${root}/${file}`).size / 1024).toFixed(0)} KB`);
}
