/**
 * `npm run demo:pretrain`: makes the pre-trained model of the demo anew, in the sources and in what is built from them.
 *
 * @module
 */
import { fileURLToPath } from 'node:url'
import { PRETRAINING_RECIPE, pretrainAndSave } from '../demo/pretrain.ts'
import { createProgress } from '../outputs/terminal/progress.ts'
import { systemClock } from '../time.ts'

const progress = createProgress({ stream: process.stdout, clock: systemClock })
progress.start('Pre-training', PRETRAINING_RECIPE.steps)
const dir = fileURLToPath(new URL('../../src/demo/pretrained', import.meta.url))
const { finalLoss } = await pretrainAndSave(dir, {
  onStep: (step, loss) => progress.update(step, `loss ${loss.toFixed(2)}`),
})
progress.done(`loss ${finalLoss}`)
progress.close()
process.stdout.write(`${dir}\nnpm run build copies it to where the demo runs from.\n`)
