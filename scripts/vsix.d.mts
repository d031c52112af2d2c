export function packageVsix(folder: string, vsix: string): void;
