/** Where a long stage says how far it is; a terminal draws it. */
export interface Progress {
  start(stage: string, total: number): void
  update(done: number, note?: string): void
  done(note?: string): void
}

/** Says nothing. */
export const silentProgress: Progress = { start() {}, update() {}, done() {} }
