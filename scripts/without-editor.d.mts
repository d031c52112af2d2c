export function withoutEditor(env: NodeJS.ProcessEnv): Record<string, string>;
