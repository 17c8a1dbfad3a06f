import type { StoredRun } from '../stores/store.ts'

/** Seconds after which a run of which nothing was heard is no longer said to be running. */
const QUIET_SECONDS = 600

/**
 * How a stored run stands. One without an end is `running` only while it is followed: `quiet` where nothing was heard for long, `no end` where its
 * files were read once, which says nothing of whether it goes on.
 */
export function standOf(run: StoredRun, nowUnixSeconds: number): StoredRun['status'] | 'quiet' | 'no end' {
  if (run.status !== 'running') return run.status
  if (!run.followed) return 'no end'
  return nowUnixSeconds - run.seenUnixSeconds > QUIET_SECONDS ? 'quiet' : 'running'
}
