// A seeded generator of simulated RLHF runs: healthy ones with the trouble that healthy runs have, and one with each kind of failure
// at five strengths. README.md in this folder says what it draws and why.
import { randomStream } from '../../dist/trainer/index.js'

/** Changes with what the generator draws: a calibration is only as good as what it was made from. */
export const GENERATOR = 'simulate 1'

/** Kinds of faults. */
export const FAULTS = [
  'reward-hacking',
  'quality-collapse',
  'coherence-loss',
  'kl-explosion',
  'entropy-collapse',
  'value-reward-mismatch',
  'length-explosion',
  'catastrophic-forgetting',
  'non-finite',
  'loss-spike',
  'gradient-anomaly',
  'dead-learning',
  'broken-invariant',
  'train-inference-mismatch',
]
export const STRENGTHS = [0.25, 0.5, 1, 2, 4]
/** Things that happen to healthy runs and are no failure. */
export const BENIGN = [
  'prompt-mix',
  'prompt-mix-announced',
  'learning-rate',
  'resume',
  'reward-model',
  'spike',
  'length-growth',
  'entropy-decay',
]
/** How often at most in one run. */
const LASTING = { 'learning-rate': 3, 'length-growth': 1, 'entropy-decay': 2 }
const QUALITY = [
  'quality/heldout_reward',
  'quality/judge',
  'quality/ref_perplexity',
  'quality/distinct_2',
  'quality/repetition',
  'quality/compression',
]
const TEXT = ['quality/ref_perplexity', 'quality/repetition', 'quality/compression']
const MEMORY = ['quality/similarity', 'quality/fixed_ref_perplexity', 'eval/benchmark']

/** What a run is drawn from. The splits share no parameter cell: calibration draws from even ones, report from odd ones. */
export function configuration(split, index) {
  const random = randomStream(index, `configuration ${split}`)
  const between = (low, high) => low + (high - low) * random.uniform()
  const chance = (p) => random.uniform() < p
  /** A value from a range cut into cells of which each split has every other one. */
  const cell = (low, high, cells = 20) => {
    const which = 2 * random.integer(cells / 2) + (split === 'calibration' ? 0 : 1)
    return low + ((which + random.uniform()) * (high - low)) / cells
  }
  return {
    split,
    index,
    autocorrelation: cell(0, 0.95),
    degreesOfFreedom: cell(3, 10, 14),
    burstsPerThousand: chance(0.6) ? cell(0.5, 4, 14) : 0,
    burstFactor: cell(1.5, 3, 10),
    correlation: cell(0, 0.5, 10),
    sparsity: chance(0.7) ? 1 : Math.round(cell(5, 50, 18)),
    missing: chance(0.5) ? cell(0, 0.2, 10) : 0,
    // Which quality signals a run has: at least one.
    quality: (() => {
      const has = QUALITY.filter((name) => chance(name.endsWith('judge') ? 0.4 : 0.7))
      return has.length > 0 ? has : ['quality/ref_perplexity']
    })(),
    memory: chance(0.5),
    mismatch: chance(0.4),
    critic: chance(0.8),
    rewardScale: 10 ** between(-1, 1),
    rewardOffset: between(-5, 5),
    rewardGain: cell(2, 8, 12),
    rewardTau: cell(60, 600, 18),
    qualityGain: between(0, 4),
    klPlateau: 10 ** cell(-2, -0.5, 12),
    klTau: cell(30, 250, 12),
    klNoise: cell(0.04, 0.2, 12),
    sawtooth: chance(0.25) ? { amplitude: cell(0.05, 0.25, 10), period: cell(40, 160, 12) } : null,
    entropyStart: 10 ** between(-0.5, 0.5),
    entropyFloor: cell(0.6, 1, 10),
    entropyTau: cell(100, 900, 16),
    entropyNoise: cell(0.008, 0.04, 12),
    explained: cell(0.3, 0.95, 12),
    explainedTau: cell(20, 200, 12),
    explainedNoise: cell(0.02, 0.08, 12),
    length: 10 ** between(1, 2.7),
    lengthNoise: cell(0.01, 0.06, 12),
    lengthDrift: cell(-0.1, 0.15, 10),
    gradient: 10 ** between(-1, 1),
    gradientNoise: cell(0.1, 0.5, 12),
    lossScale: 10 ** between(-2, 0),
    textNoise: cell(0.5, 1.5, 12),
    textDrift: cell(0, 1, 10),
    benign: BENIGN.filter(() => chance(0.25)),
    irrelevant: random.integer(5),
    metricSigns: Array.from({ length: 5 }, () => (chance(0.5) ? 1 : -1)),
  }
}

/**
 * A simulated run. `columns` by canonical name; NaN there is "not logged". A logged NaN of a fault is in `nonFinite`.
 * @param {{split: string, index: number, iterations: number, fault?: {kind: string, strength: number, onset?: number}, twin?: boolean, dense?: boolean}} asked
 *   `dense`: every quality signal is logged in every iteration. `twin`: the same run with the same proxy reward whose quality does not fall.
 */
export function simulate({ split, index, iterations, fault = null, twin = false, dense = false }) {
  const c = withSeries(configuration(split, index), fault?.kind, dense)
  const random = randomStream(index, `run ${split}`)
  const n = iterations
  const columns = {}
  const announcements = []
  const onset = fault ? (fault.onset ?? Math.floor(150 + random.uniform() * Math.max(1, 0.6 * n - 150))) : null
  const kind = fault && !twin ? fault.kind : null
  const strength = fault?.strength ?? 0
  /** Iterations into the fault, 0 before it. */
  const into = (t) => (onset === null || t < onset ? 0 : t - onset)
  const active = (name, t) => kind === name && t >= onset

  // What all channels have in common, and each one's own part: AR(1) with heavy tails, louder in bursts, of variance 1 otherwise.
  const loudness = bursts(c, n, random)
  const common = noise(c, n, loudness, random)
  const channel = () => {
    const own = noise(c, n, loudness, random)
    const [a, b] = [Math.sqrt(c.correlation), Math.sqrt(1 - c.correlation)]
    for (let t = 0; t < n; t++) own[t] = a * common[t] + b * own[t]
    return own
  }
  const events = benignEvents(c, n, random, announcements, onset)

  // The reward, in standard deviations first.
  const rewardNoise = channel()
  const trueGain = new Float64Array(n)
  const reward = new Float64Array(n)
  const proxyOnly = ['reward-hacking', 'length-explosion'].includes(fault?.kind)
  const rewardModel = { scale: 1, offset: 0 }
  for (let t = 0; t < n; t++) {
    const plan = c.rewardGain * (1 - Math.exp(-t / c.rewardTau))
    let level = plan + events.reward[t]
    trueGain[t] = plan + events.gold[t]
    // Hacking goes on earning; from the onset on the gain is the proxy's alone.
    if (proxyOnly && fault.kind === 'reward-hacking') level += 1.5 * (1 - Math.exp(-into(t) / 80))
    if (kind === 'quality-collapse') level -= 0.03 * strength * into(t)
    if (kind === 'dead-learning' && t >= onset)
      level = c.rewardGain * (1 - Math.exp(-onset / c.rewardTau)) + events.reward[onset]
    for (const event of events.rewardModel) if (event.at === t) Object.assign(rewardModel, event)
    reward[t] = c.rewardOffset + c.rewardScale * (rewardModel.offset + rewardModel.scale * (level + rewardNoise[t]))
  }
  columns['reward/score'] = reward

  // KL to the reference: rises to a plateau; a controller makes a sawtooth of it.
  const klNoise = channel()
  const kl = new Float64Array(n)
  const creep = fault?.kind === 'reward-hacking' && index % 2 === 0 ? 1 / 800 : 0
  for (let t = 0; t < n; t++) {
    let log = Math.log(c.klPlateau * (1 - Math.exp(-(t + 1) / c.klTau)))
    if (c.sawtooth) log += c.sawtooth.amplitude * (2 * ((t / c.sawtooth.period) % 1) - 1)
    if (kind === 'kl-explosion') log += (strength * into(t)) / 80
    log += creep * Math.min(into(t), 400)
    kl[t] = Math.exp(Math.min(log, 6) + c.klNoise * klNoise[t])
  }
  columns['kl_ref/token'] = kl

  const lengthNoise = channel()
  const length = new Float64Array(n)
  const clipped = new Float64Array(n)
  for (let t = 0; t < n; t++) {
    let log = c.lengthDrift * (1 - Math.exp(-t / 400)) + events.length[t]
    if (kind === 'length-explosion') log += (strength * into(t)) / 150
    const factor = Math.exp(Math.min(log, Math.log(4)))
    length[t] = c.length * factor * Math.exp(c.lengthNoise * lengthNoise[t])
    clipped[t] = clamp(0.01 + 0.3 * Math.max(0, factor - 1.6) + 0.005 * lengthNoise[t], 0, 1)
  }
  columns['length/mean'] = length
  columns['length/clip_ratio'] = clipped
  columns['kl_ref/seq'] = kl.map((value, t) => value * length[t])
  columns['reward/total'] = reward.map(
    (value, t) => value - 0.02 * c.rewardScale * columns['kl_ref/seq'][t] * (1 / c.length),
  )

  const entropyNoise = channel()
  columns['entropy/token'] = series(n, (t) => {
    let log =
      Math.log(c.entropyStart * (c.entropyFloor + (1 - c.entropyFloor) * Math.exp(-t / c.entropyTau))) +
      events.entropy[t]
    if (kind === 'entropy-collapse') log -= (strength * into(t)) / 240
    return Math.exp(Math.max(log, -12) + c.entropyNoise * entropyNoise[t])
  })

  const klStep = 10 ** (-3.3 + random.uniform())
  const stepNoise = channel()
  const inconsistent = kind === 'broken-invariant' ? index % 3 : -1
  columns['ppo/approx_kl'] = series(n, (t) => {
    const value = klStep * events.rate[t] * Math.exp(0.3 * stepNoise[t])
    return inconsistent === 1 && active('broken-invariant', t) ? -value - 0.01 : value
  })
  columns['ppo/clip_fraction'] = series(n, (t) => {
    const value = clamp(20 * klStep * events.rate[t] * Math.exp(0.3 * stepNoise[t]), 0, 0.9)
    return inconsistent === 2 && active('broken-invariant', t) ? 1.2 : value
  })
  columns['ppo/ratio_first'] = series(n, (t) => {
    const wrong =
      inconsistent === 0 && active('broken-invariant', t) ? 0.01 * strength * (1 + 0.3 * random.normal()) : 0
    return 1 + 1e-7 * random.normal() + wrong
  })

  const gradientNoise = channel()
  columns['grad/norm'] = series(n, (t) => {
    if (active('dead-learning', t)) return 1e-7 * c.gradient * (1 + 0.1 * random.uniform())
    const anomaly = active('gradient-anomaly', t) ? 4 + 4 * strength : 1
    return c.gradient * events.rate[t] * events.spike[t] * anomaly * Math.exp(c.gradientNoise * gradientNoise[t])
  })

  const lossNoise = channel()
  const valueNoise = channel()
  const explained = new Float64Array(n)
  for (let t = 0; t < n; t++) {
    let left = 1 - c.explained * (1 - Math.exp(-t / c.explainedTau))
    if (active('value-reward-mismatch', t)) left *= 1 + 2 * strength
    explained[t] = clamp(1 - left * Math.exp((c.explainedNoise * valueNoise[t]) / Math.max(0.2, left)), -5, 0.999)
  }
  columns['loss/policy'] = series(n, (t) => c.lossScale * 0.1 * lossNoise[t] * events.rate[t])
  if (c.critic) {
    columns['value/explained_variance'] = explained
    columns['loss/value'] = explained.map(
      (value, t) => c.lossScale * (1 - value) * events.spike[t] * Math.exp(0.1 * lossNoise[t]),
    )
  }
  columns['loss/total'] = series(n, (t) => {
    const spike = active('loss-spike', t) ? c.lossScale * 3 * (2 + 2 * strength) : 0
    return columns['loss/policy'][t] + (columns['loss/value']?.[t] ?? 0) + c.lossScale * (events.spike[t] - 1) + spike
  })
  columns['optim/lr'] = series(n, (t) => 1e-5 * events.rate[t])

  // Quality: the fall in units of each signal's own standard deviation.
  const shared = channel()
  const falls = (name, t) => {
    if (kind === 'reward-hacking' || kind === 'quality-collapse') return 0.03 * strength * into(t)
    if (kind === 'coherence-loss' && TEXT.includes(name)) return 0.03 * strength * into(t)
    if (kind === 'length-explosion' && name === 'quality/judge') return 0.005 * strength * into(t)
    return 0
  }
  const learned = (t) => 1 - Math.exp(-t / c.rewardTau)
  for (const name of c.quality) {
    const own = channel()
    const [level, sd, sign, gain, log] = qualityScale(name, c)
    const values = series(n, (t) => {
      const signal =
        gain * learned(t) + events.quality[t] - falls(name, t) + Math.sqrt(0.8) * own[t] + Math.sqrt(0.2) * shared[t]
      const value = level + sign * sd * signal
      if (log) return Math.exp(value)
      return name.startsWith('quality/heldout') || name.endsWith('judge') ? value : clamp(value, 0, 1)
    })
    const sparse = name.endsWith('judge') || name.endsWith('heldout_reward') ? c.sparsity : 1
    columns[name] = values.map((value, t) => (t % sparse === 0 && random.uniform() >= c.missing ? value : Number.NaN))
  }
  if (c.memory) {
    const every = 10
    for (const name of MEMORY) {
      const own = channel()
      const fall = (t) => (kind === 'catastrophic-forgetting' ? 0.03 * strength * into(t) : 0)
      columns[name] = series(n, (t) => {
        if (t % every !== 0) return Number.NaN
        if (name === 'quality/fixed_ref_perplexity') return Math.exp(0.7 + 0.05 * (own[t] + fall(t)))
        if (name === 'quality/similarity')
          return clamp(0.3 + 0.5 * Math.exp(-t / 150) + 0.02 * (own[t] - fall(t)), 0, 1)
        return clamp(0.6 + 0.02 * (own[t] - fall(t)), 0, 1)
      })
    }
  }
  if (c.mismatch) {
    const own = channel()
    columns['mismatch/kl_k3'] = series(
      n,
      (t) => 1e-3 * Math.exp(0.3 * own[t]) * (active('train-inference-mismatch', t) ? 1 + 200 * strength : 1),
    )
    columns['mismatch/ess'] = series(n, (t) =>
      clamp(
        0.97 + 0.01 * own[t] - (active('train-inference-mismatch', t) ? Math.min(0.9, 0.75 * strength) : 0),
        0.001,
        1,
      ),
    )
  }
  for (let i = 0; i < c.irrelevant; i++) {
    const own = channel()
    columns[`custom/metric_${i}`] = series(n, (t) => 10 ** (i - 2) * (own[t] + c.metricSigns[i] * (5 + 0.01 * t)))
  }

  const nonFinite = []
  if (kind === 'non-finite') {
    const name = ['loss/total', 'grad/norm', 'loss/policy'][index % 3]
    for (let t = onset; t < n; t++)
      nonFinite.push({ name, iteration: t, value: index % 2 ? Number.NaN : Number.POSITIVE_INFINITY })
  }
  const gold = series(n, (t) => {
    let level = trueGain[t] + events.gold[t]
    if (
      kind === 'reward-hacking' ||
      kind === 'quality-collapse' ||
      kind === 'coherence-loss' ||
      kind === 'catastrophic-forgetting'
    )
      level -= 0.03 * strength * into(t)
    if (kind === 'kl-explosion') level -= Math.max(0, Math.exp(Math.min(6, (strength * into(t)) / 80)) - 2)
    if (kind === 'length-explosion') level -= 0.02 * strength * into(t)
    if (kind === 'entropy-collapse') level -= 0.005 * strength * into(t)
    return level
  })
  return {
    config: c,
    iterations: n,
    onset: kind ? onset : null,
    kind,
    strength: kind ? strength : 0,
    columns,
    announcements,
    nonFinite,
    gold,
  }
}

/** A fault happens in runs that log what it shows in: what is not logged cannot be seen, and the coverage says so. */
function withSeries(c, kind, dense) {
  const quality = [...c.quality]
  if (kind === 'coherence-loss' && !quality.some((name) => TEXT.includes(name))) quality.push('quality/ref_perplexity')
  return {
    ...c,
    quality,
    critic: c.critic || kind === 'value-reward-mismatch',
    memory: c.memory || kind === 'catastrophic-forgetting',
    mismatch: c.mismatch || kind === 'train-inference-mismatch',
    ...(dense ? { sparsity: 1, missing: 0 } : {}),
  }
}

/** The iterations as a detector gets them: one object that is moved on, so that nothing is allocated. */
export function* observations(run) {
  const announced = new Map()
  for (const { iteration, what } of run.announcements)
    announced.set(iteration, [...(announced.get(iteration) ?? []), what])
  const spoilt = new Map()
  for (const { name, iteration, value } of run.nonFinite) spoilt.set(`${name} ${iteration}`, value)
  let t = 0
  const observation = {
    iteration: 0,
    time: 0,
    announced: undefined,
    get(name) {
      if (spoilt.size > 0) {
        const value = spoilt.get(`${name} ${t}`)
        if (value !== undefined) return value
      }
      const column = run.columns[name]
      if (column === undefined) return undefined
      const value = column[t]
      return Number.isNaN(value) ? undefined : value
    },
  }
  for (; t < run.iterations; t++) {
    observation.iteration = t
    observation.time = t
    observation.announced = announced.get(t)
    yield observation
  }
}

/** Level, standard deviation, sign of "better", gain in standard deviations, and whether the level is a logarithm. */
function qualityScale(name, c) {
  const text = c.textNoise
  switch (name) {
    case 'quality/heldout_reward':
      return [c.rewardOffset, c.rewardScale * 0.5, 1, c.qualityGain, false]
    case 'quality/judge':
      return [0.5, 0.3, 1, c.qualityGain, false]
    // Text drifts a little the bad way while a policy learns: measured on real healthy runs of the demo.
    case 'quality/ref_perplexity':
      return [1.2, 0.05 * text, -1, -1.2 * c.textDrift, true]
    case 'quality/distinct_2':
      return [0.65, 0.03 * text, 1, -2 * c.textDrift, false]
    case 'quality/repetition':
      return [0.06, 0.015 * text, -1, -1 * c.textDrift, false]
    default:
      return [0.38, 0.012 * text, 1, -2 * c.textDrift, false]
  }
}

/** Steps, drifts and spikes that are no failure, as additions to each signal. */
function benignEvents(c, n, random, announcements, onset) {
  const zero = () => new Float64Array(n)
  const events = {
    reward: zero(),
    gold: zero(),
    length: zero(),
    entropy: zero(),
    quality: zero(),
    rate: zero().fill(1),
    spike: zero().fill(1),
    rewardModel: [],
  }
  const step = (column, from, size) => {
    for (let t = from; t < n; t++) column[t] += size
  }
  const ramp = (column, from, length, size) => {
    for (let t = from; t < n; t++) column[t] += size * Math.min(1, (t - from) / length)
  }
  const sign = () => (random.uniform() < 0.5 ? -1 : 1)
  for (const what of c.benign) {
    // Once in a thousand iterations, and never in the hundred around a fault, so that it is clear what was found. What moves a
    // level for good happens a few times at most: answers a hundred times as long would be no health.
    const lasting = LASTING[what] ?? Number.POSITIVE_INFINITY
    const first = n > 1000 && lasting < n / 1000 ? random.integer(Math.ceil(n / 1000) - lasting + 1) : 0
    for (let period = first; period * 1000 < n && period < first + lasting; period++) {
      const at = Math.floor(period * 1000 + 60 + random.uniform() * 900)
      const size = random.uniform()
      const [s1, s2, s3] = [sign(), sign(), sign()]
      if (at >= n - 20 || (onset !== null && Math.abs(at - onset) < 100)) continue
      switch (what) {
        case 'prompt-mix':
          step(events.reward, at, s1 * size)
          step(events.quality, at, s2 * 0.6 * size)
          step(events.length, at, s3 * 0.1 * size)
          break
        case 'prompt-mix-announced':
          announcements.push({ iteration: at, what: 'prompt-mix' })
          step(events.reward, at, s1 * (1 + 2 * size))
          step(events.quality, at, s2 * (1 + 2 * size))
          step(events.length, at, s3 * 0.3 * size)
          break
        case 'learning-rate':
          announcements.push({ iteration: at, what: 'learning-rate' })
          for (let t = at; t < n; t++) events.rate[t] *= 0.3 + 0.5 * size
          break
        case 'resume':
          announcements.push({ iteration: at, what: 'resume' })
          break
        case 'reward-model':
          announcements.push({ iteration: at, what: 'reward-model' })
          events.rewardModel.push({ at, scale: 0.5 + size, offset: 3 * s1 * size })
          break
        case 'spike':
          for (let t = at; t < Math.min(n, at + 1 + Math.floor(4 * size)); t++) events.spike[t] *= 5 + 15 * size
          break
        case 'length-growth':
          ramp(events.length, at, 200 + 300 * size, 0.3 + 0.3 * size)
          ramp(events.reward, at, 200 + 300 * size, 4)
          ramp(events.gold, at, 200 + 300 * size, 4)
          ramp(events.quality, at, 200 + 300 * size, 2)
          break
        case 'entropy-decay':
          ramp(events.entropy, at, 300, -0.3 - 0.4 * size)
          ramp(events.reward, at, 300, 5)
          ramp(events.gold, at, 300, 5)
          break
      }
    }
  }
  return events
}

function bursts({ burstsPerThousand, burstFactor }, n, random) {
  const loudness = new Float64Array(n).fill(1)
  for (let t = 0; t < n; t++) {
    if (random.uniform() >= burstsPerThousand / 1000) continue
    const until = Math.min(n, t + 10 + random.integer(30))
    for (; t < until; t++) loudness[t] = burstFactor
  }
  return loudness
}

/** AR(1) with Student-t innovations, scaled to variance 1 outside bursts. */
function noise({ autocorrelation: rho, degreesOfFreedom: df }, n, loudness, random) {
  const values = new Float64Array(n)
  const scale = Math.sqrt((1 - rho * rho) * ((df - 2) / df))
  let value = random.normal()
  for (let t = 0; t < n; t++) {
    value = rho * value + scale * loudness[t] * student(df, random)
    values[t] = value
  }
  return values
}

/** Bailey's (1994) polar method for Student's t. */
function student(df, random) {
  for (;;) {
    const u = 2 * random.uniform() - 1
    const v = 2 * random.uniform() - 1
    const w = u * u + v * v
    if (w > 0 && w <= 1) return u * Math.sqrt((df * (w ** (-2 / df) - 1)) / w)
  }
}

function series(n, value) {
  const values = new Float64Array(n)
  for (let t = 0; t < n; t++) values[t] = value(t)
  return values
}

function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value))
}
