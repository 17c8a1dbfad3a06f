import type { VerbosityLevel } from '../../verbosity.ts'
import type { AlertView, DisplayState } from './display-state.ts'

/** What happened, as far as showing it goes: `start` and `end` are shown at once, `progress` when it is due. */
export type Moment = 'start' | 'progress' | 'end'

/** One occasion to show something. */
export interface Occasion {
  readonly moment: Moment
  readonly verbosity: VerbosityLevel
  /** Raised since the last occasion, oldest first; shown at once. */
  readonly alerts: readonly AlertView[]
  /** Made only when it is shown. */
  readonly state: () => DisplayState
  readonly done: number
  readonly total: number | null
}

/** Where a display shows a run: painted in place, or line after line. */
export interface Surface {
  show(occasion: Occasion): void
  /** A line of somebody else's that stays. */
  print(lines: readonly string[]): void
  /** @param erase takes away what is shown in place, instead of leaving it. */
  close(erase: boolean): void
}
