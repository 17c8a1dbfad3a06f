import type { FigureData, SeriesData } from './series-data.ts'

/** The first of the named series that has values; the first of all where none has. */
export function firstLogged(data: FigureData, names: readonly [string, ...string[]]): SeriesData {
  return data[names.find((name) => (data[name]?.buckets.length ?? 0) > 0) ?? names[0]]!
}
