/** The marks that a display draws with; every one is one column wide. */
export interface Glyphs {
  readonly up: string
  readonly down: string
  readonly flat: string
  readonly rule: string
  readonly barDone: string
  readonly barEdge: string
  readonly barLeft: string
  /** Levels of a sparkline, lowest first. */
  readonly spark: readonly string[]
  /** A place of a sparkline where no value was finite. */
  readonly gap: string
  readonly ellipsis: string
  readonly bullet: string
  readonly arrow: string
  readonly done: string
  readonly stopped: string
  readonly separator: string
  readonly infinity: string
}

const UNICODE: Glyphs = {
  up: '▲',
  down: '▼',
  flat: '▬',
  rule: '─',
  barDone: '━',
  barEdge: '╸',
  barLeft: '─',
  spark: ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
  gap: 'x',
  ellipsis: '…',
  bullet: '●',
  arrow: '→',
  done: '✓',
  stopped: '■',
  separator: '·',
  infinity: '∞',
}

const ASCII: Glyphs = {
  up: '^',
  down: 'v',
  flat: '=',
  rule: '-',
  barDone: '#',
  barEdge: '#',
  barLeft: '.',
  spark: ['_', '.', '-', '~', '=', '+', '*', '#'],
  gap: 'x',
  ellipsis: '~',
  bullet: '*',
  arrow: '>',
  done: '+',
  stopped: '!',
  separator: '|',
  infinity: 'inf',
}

/** The marks for a terminal that shows Unicode, or for one that does not. */
export function glyphsFor(unicode: boolean): Glyphs {
  return unicode ? UNICODE : ASCII
}
