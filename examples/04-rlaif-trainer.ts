// Train a small language model with PPO from a reward of your own, monitored, and go back to a checkpoint.
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { SampleComparator, TrainingMonitor } from 'telltale'
import { cloneModel, createModel, RLAIFTrainer, startBackend, withScalarHead, wordTokenizer } from 'telltale/trainer'

await startBackend()
const tokenizer = wordTokenizer(['hello', 'world', 'please', 'thanks', '?'])
const config = {
  vocabSize: tokenizer.vocabSize,
  contextLength: 8,
  width: 16,
  layers: 1,
  heads: 2,
  head: 'token',
} as const
const polite = {
  score: (_: readonly string[], responses: readonly string[]) =>
    responses.map((text) => (text.startsWith('thanks') ? 1 : 0)),
}

const outputDir = mkdtempSync('rlaif-')
const monitor = new TrainingMonitor({ outputDir })
monitor.registerCallback(new SampleComparator({ sampleSize: 2, comparisonFrequency: 10 }))

const policyModel = createModel(config, 1)
const trainer = new RLAIFTrainer({
  policyModel,
  refPolicyModel: cloneModel(policyModel),
  valueModel: withScalarHead(policyModel),
  rewardModel: polite,
  tokenizer,
  monitor,
  learningRate: 5e-3,
  checkpointEvery: 20,
  checkpointDir: join(outputDir, 'checkpoints'),
})
const result = await monitor.run(() =>
  trainer.train({ prompts: ['hello ?', 'please ?'], numIterations: 40, batchSize: 8 }),
)
const mean = (from: number) => result.history.slice(from, from + 10).reduce((sum, { reward }) => sum + reward, 0) / 10
console.log(result.status, mean(30) > mean(0) + 0.2, result.checkpoint?.endsWith('iteration-39')) // completed true true
