// Spreads simulated runs over worker threads. Results come in the order of the jobs, whatever thread did which.
import { Worker } from 'node:worker_threads'

const THREADS = 2

/**
 * @param {string} task one of those of worker.mjs
 * @param {readonly object[]} jobs arguments of the task, one a run
 * @param {string} label said with the progress, on standard error
 */
export async function inParallel(task, jobs, label) {
  const results = new Array(jobs.length)
  let next = 0
  let done = 0
  let said = 0
  const began = process.hrtime.bigint()
  await Promise.all(
    Array.from({ length: Math.min(THREADS, jobs.length) }, async () => {
      const worker = new Worker(new URL('./worker.mjs', import.meta.url))
      try {
        while (next < jobs.length) {
          const from = next
          next = Math.min(jobs.length, next + 8)
          const answers = await ask(worker, { task, jobs: jobs.slice(from, next) })
          answers.forEach((answer, i) => {
            results[from + i] = answer
          })
          done += answers.length
          if (done - said >= Math.max(8, jobs.length / 10) || done === jobs.length) {
            said = done
            const seconds = Number(process.hrtime.bigint() - began) / 1e9
            process.stderr.write(`${label}: ${done} of ${jobs.length} runs, ${Math.round(seconds)} s\n`)
          }
        }
      } finally {
        await worker.terminate()
      }
    }),
  )
  return results
}

function ask(worker, message) {
  return new Promise((resolve, reject) => {
    worker.once('error', reject)
    worker.once('message', (answer) => {
      worker.off('error', reject)
      resolve(answer)
    })
    worker.postMessage(message)
  })
}
