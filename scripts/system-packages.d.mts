export function findCommand(command: string): string | undefined;
export function ensureSystemPackages(packageOf: Record<string, string>, log: (line: string) => void): Promise<void>;
