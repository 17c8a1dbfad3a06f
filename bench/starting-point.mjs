// The models that PPO begins with in the demo's world, from its stages before PPO.
import { loadPretrained } from '../dist/demo/pretrain.js'
import { pretrainedDir } from '../dist/demo/run-demo.js'
import { learnFromRevisions, learnReward } from '../dist/demo/stages.js'

const SILENT = { start() {}, update() {}, done() {} }

/** What `trainScenario` begins from, for a seed. */
export async function startingPoint(seed, progress = SILENT) {
  const { model, tokenizer } = await loadPretrained(pretrainedDir())
  const world = { tokenizer, seed, progress, signal: undefined }
  await learnFromRevisions(model, world)
  const { rewardModel } = await learnReward(model, world)
  return { policy: model, rewardModel, tokenizer }
}
