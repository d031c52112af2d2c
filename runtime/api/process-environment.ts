/**
 * What a router's process is started with, wherever that is: how glibc keeps memory (mallopt(3)). Other systems pass over it.
 *
 * It keeps an arena for each thread that has ever asked for some, up to 8 for each core, and gives little of them back; a router's threads help now and
 * then, and one arena holds 4 MB less. And once a large block was freed, it cuts further ones of that size out of the arena, where they leave holes: a
 * site's configuration of 10,000 services left 3 MB. Blocks of half a megabyte, which no traffic needs, come from the system and go back there.
 */
export const PROCESS_ENVIRONMENT = { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '524288' } as const;
