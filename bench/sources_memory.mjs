// Reads one file to its end and says how much memory the process took at most. A process of its own for each file.
import { SOURCE_FORMATS } from '../dist/sources/formats.js'
import { readRunOf } from '../dist/sources/run-reader.js'

const [name, path] = process.argv.slice(2)
const source = await SOURCE_FORMATS.find((format) => format.name === name).open(path, '')
let lines = 0
const reader = readRunOf([{ source, path }], 'big', { emit: () => lines++ })
let bytes = 0
let more = true
while (more) {
  const look = await reader.read({ finished: true })
  bytes += look.bytes
  more = look.more
}
reader.close()
process.stdout.write(JSON.stringify({ lines, bytes, maxRssBytes: process.resourceUsage().maxRSS * 1024 }))
