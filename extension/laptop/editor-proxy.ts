/** VS Code's settings under `http`, as far as they are read here. */
interface HttpSettings {
  get<T>(name: string, otherwise: T): T;
}

/** What leads out of the company's network by the editor's own settings, in the words of a router's environment. */
export function editorProxy(http: HttpSettings): { HTTPS_PROXY?: string; NO_PROXY?: string } {
  const proxy = http.get<string>('proxy', '').trim();
  // VS Code takes SOCKS, too, which links do not go through.
  if (!/^https?:\/\//i.test(proxy) || http.get<string>('proxySupport', '') === 'off') return {};
  const exempt = http.get<string[]>('noProxy', []);
  return { HTTPS_PROXY: proxy, ...(exempt.length > 0 && { NO_PROXY: exempt.join(',') }) };
}
