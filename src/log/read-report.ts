/**
 * What reading a log found beside its lines.
 *
 * @module
 */

/** A damaged line: where it is and what is wrong with it. */
export interface DamagedLine {
  /** The file. */
  readonly path: string
  /** Counted from 1. */
  readonly lineNumber: number
  /** What is wrong with it. */
  readonly problem: string
}

/** What reading a run folder found beside its lines. */
export interface ReadReport {
  /** Damaged lines, the first 100 with their place. */
  readonly damaged: DamagedLine[]
  /** All damaged lines. */
  damagedCount: number
  /** Lines met again (same run, writer and sequence number) and left out. */
  repeated: number
  /** Sequence numbers that never came. */
  missing: number
}

/** An empty {@link ReadReport}. */
export function newReadReport(): ReadReport {
  return { damaged: [], damagedCount: 0, repeated: 0, missing: 0 }
}

/** Counts a damaged line, and keeps the first 100. */
export function noteDamaged(report: ReadReport, line: DamagedLine): void {
  report.damagedCount++
  if (report.damaged.length < 100) report.damaged.push(line)
}
