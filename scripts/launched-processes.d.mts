export function newLaunch(): { mark: string; env: Record<string, string> };
export function endLaunch(mark: string, pid?: number): Promise<void>;
export function killLaunch(mark: string): void;
