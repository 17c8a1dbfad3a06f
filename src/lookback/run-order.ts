/** What a list of runs can be sorted by, as `telltale ls --sort` takes it. */
export const SORTS = ['name', 'started', 'iterations', 'alerts', 'reward', 'seen'] as const

/** One of {@link SORTS}. */
export type RunOrder = (typeof SORTS)[number]
