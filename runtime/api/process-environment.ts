/**
 * What a router's process is started with, wherever that is. glibc keeps an arena of memory for each thread that has ever asked for some, up to 8 for
 * each core, and gives little of it back (mallopt(3)); a router's threads help now and then, and one arena holds 4 MB less. Other systems pass over it.
 */
export const PROCESS_ENVIRONMENT = { MALLOC_ARENA_MAX: '1' } as const;
