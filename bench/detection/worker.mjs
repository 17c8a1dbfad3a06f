import { parentPort } from 'node:worker_threads'
import { simulate } from './simulate.mjs'
import { largestStatistics } from './statistics.mjs'
import { watched } from './watch.mjs'

const TASKS = {
  statistics: (job) => largestStatistics(simulate(job)),
  watch: watched,
}

parentPort.on('message', ({ task, jobs }) => {
  parentPort.postMessage(jobs.map((job) => TASKS[task](job)))
})
