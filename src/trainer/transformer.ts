/**
 * A small decoder-only transformer: pre-LN blocks, causal attention, learned positions, tied embeddings (Radford et al.
 * 2019). Prompts are padded on the left; padding changes nothing, because it is masked as a key and gets no position.
 *
 * Functions here borrow the weights and take their data.
 *
 * @module
 */
import { backend, floats, integers, type Tensor, type TensorRecord } from './backend.ts'
import { type ModelConfig, PAD_ID } from './model.ts'

/** A batch of sequences as the model takes them. */
export type SequenceTensors = {
  /** [batch, length] token ids. */
  tokens: Tensor
  /** [batch, length] position of each token among the real ones, 0 for padding. */
  positions: Tensor
  /** [batch, length] 1 for real tokens, 0 for padding. */
  mask: Tensor
}

/** Tensors for sequences given as rows of ids, `padId` being padding wherever it stands before or after the real tokens. */
export function sequenceTensors(rows: readonly Int32Array[], padId: number): SequenceTensors {
  const length = rows[0]?.length ?? 0
  const tokens = new Int32Array(rows.length * length)
  const positions = new Int32Array(rows.length * length)
  const mask = new Float32Array(rows.length * length)
  rows.forEach((row, r) => {
    let position = 0
    for (let t = 0; t < length; t++) {
      const at = r * length + t
      const real = row[t] !== padId
      tokens[at] = row[t]!
      mask[at] = real ? 1 : 0
      positions[at] = real ? position++ : 0
    }
  })
  const shape = [rows.length, length]
  return { tokens: integers(tokens, shape), positions: integers(positions, shape), mask: floats(mask, shape) }
}

/** Positions that hidden states are wanted for: a stretch of the sequence, or [batch, length] with a single 1 in each row. */
export type Positions = { readonly from: number; readonly count: number } | Tensor

/**
 * Hidden states [batch, positions, width] after the final norm; all positions where none are named. The last block works for
 * the named ones alone.
 */
export function hiddenStates(
  p: TensorRecord,
  sequence: SequenceTensors,
  config: ModelConfig,
  wanted: Positions = { from: 0, count: sequence.tokens.shape[1]! },
): Tensor {
  const { numpy: np } = backend()
  const { tokens, positions, mask } = sequence
  const [batch, length] = tokens.shape as [number, number]
  const causal = np.tril(np.ones([length, length]))
  const allowed = causal.reshape([1, length, length]).mul(mask.reshape([batch, 1, length]))
  // Large and finite: a padded query sees nothing, and must not become NaN.
  let bias = allowed.sub(1).mul(1e9)
  let x = embed(p, tokens, positions)
  for (let layer = 0; layer < config.layers; layer++) {
    const at = `h.${layer}.`
    const context = layerNorm(p, `${at}ln_1`, x.ref)
    const last = layer === config.layers - 1
    const asking = last ? pick(context.ref, wanted) : context.ref
    if (last) {
      x = pick(x, wanted)
      bias = pick(bias, wanted)
    }
    const [q, k, v] = queriesKeysValues(p, at, asking, context, config)
    x = x.add(linear(p, `${at}attn.proj`, attend(q, k, v, bias.ref, config)))
    x = x.ref.add(mlp(p, at, layerNorm(p, `${at}ln_2`, x)))
  }
  bias.dispose()
  if (!('from' in wanted)) wanted.dispose()
  return layerNorm(p, 'ln_f', x)
}

/** What stands at the wanted positions of [batch, length, n], which is taken: [batch, positions, n]. */
function pick(x: Tensor, wanted: Positions): Tensor {
  const { numpy: np } = backend()
  const [batch, length] = x.shape as [number, number]
  if (!('from' in wanted)) return np.matmul(wanted.ref.reshape([batch, 1, length]), x)
  const { from, count } = wanted
  const cuts = [from, from + count].filter((cut) => cut > 0 && cut < length)
  if (cuts.length === 0) return x
  const parts = np.split(x, cuts, 1)
  const [kept] = parts.splice(from > 0 ? 1 : 0, 1)
  for (const part of parts) part.dispose()
  return kept!
}

/** Embeddings [batch, length, width] of tokens at positions, both [batch, length], which are taken. */
export function embed(p: TensorRecord, tokens: Tensor, positions: Tensor): Tensor {
  const { numpy: np } = backend()
  const table = p['wpe.weight']!
  // Looked up by a product: the gradient of a look-up adds number by number.
  return np.take(p['wte.weight']!.ref, tokens, 0).add(np.matmul(oneHot(positions, table.shape[0]!), table.ref))
}

/** [..., size] 1 where the last axis is the number given in [...], which is taken. */
export function oneHot(indices: Tensor, size: number): Tensor {
  const { numpy: np } = backend()
  const choices = np.arange(size).astype(np.int32)
  return np.equal(indices.reshape([...indices.shape, 1]), choices).astype(np.float32)
}

/**
 * Logits over the vocabulary, through the tied embedding, for hidden states [..., width], which are taken. Padding is no
 * word: it is never predicted, so that what is sampled and what is scored is one distribution.
 */
export function tokenLogits(p: TensorRecord, hidden: Tensor): Tensor {
  const { numpy: np } = backend()
  const embedding = p['wte.weight']!
  const noPadding = new Float32Array(embedding.shape[0]!)
  noPadding[PAD_ID] = -1e9
  return np.matmul(hidden, embedding.ref.transpose()).add(floats(noPadding, [noPadding.length]))
}

/** The scalar head's number for hidden states [batch, length, width]: [batch, length]. The hidden states are taken. */
export function scalarHead(p: TensorRecord, hidden: Tensor): Tensor {
  const { numpy: np } = backend()
  const [batch, length] = hidden.shape as [number, number]
  return np.matmul(hidden, p['head.weight']!.ref).add(p['head.bias']!.ref).reshape([batch, length])
}

/** Layer norm over the last axis (eps 1e-5, GPT-2). */
export function layerNorm(p: TensorRecord, name: string, x: Tensor): Tensor {
  const { numpy: np } = backend()
  const centred = x.ref.sub(np.mean(x, -1, { keepdims: true }))
  const variance = np.mean(np.square(centred.ref), -1, { keepdims: true })
  return centred
    .div(np.sqrt(variance.add(1e-5)))
    .mul(p[`${name}.weight`]!.ref)
    .add(p[`${name}.bias`]!.ref)
}

/** A linear layer; `x` is taken. */
export function linear(p: TensorRecord, name: string, x: Tensor): Tensor {
  const { numpy: np } = backend()
  return np.matmul(x, p[`${name}.weight`]!.ref).add(p[`${name}.bias`]!.ref)
}

/** The feed-forward half of a block. */
export function mlp(p: TensorRecord, at: string, x: Tensor): Tensor {
  return linear(p, `${at}mlp.proj`, gelu(linear(p, `${at}mlp.fc`, x)))
}

/** GELU in the tanh approximation, as x times a sigmoid: the same function with half the exponentials. */
function gelu(x: Tensor): Tensor {
  const { nn } = backend()
  const cubic = x.ref.mul(x.ref).mul(0.044715).add(1)
  return x.ref.mul(nn.sigmoid(x.mul(cubic).mul(2 * Math.sqrt(2 / Math.PI))))
}

/**
 * Queries of `asking` [batch, n, width], and keys and values of `context` [batch, m, width], each [batch, n or m, heads,
 * width / heads]; both are taken.
 */
export function queriesKeysValues(
  p: TensorRecord,
  at: string,
  asking: Tensor,
  context: Tensor,
  config: ModelConfig,
): [Tensor, Tensor, Tensor] {
  const { numpy: np } = backend()
  // The weights are split, not what they give: so the gradient is put together from small parts.
  const weights = np.split(p[`${at}attn.qkv.weight`]!.ref, 3, 1)
  const biases = np.split(p[`${at}attn.qkv.bias`]!.ref, 3, 0)
  const [q, k, v] = [asking, context.ref, context].map((x, i) => {
    const [batch, length] = x.shape as [number, number]
    const projected = np.matmul(x, weights[i]!).add(biases[i]!)
    return projected.reshape([batch, length, config.heads, config.width / config.heads])
  })
  return [q!, k!, v!]
}

/**
 * Softmax attention of queries [batch, n, heads, size] over keys and values [batch, m, heads, size], with a bias [batch, n, m]:
 * [batch, n, width]. All are taken.
 */
export function attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor, config: ModelConfig): Tensor {
  const { numpy: np, nn } = backend()
  const { width, heads } = config
  const [batch, asking] = q.shape as [number, number]
  const length = k.shape[1]!
  const scores = np
    .matmul(np.transpose(q, [0, 2, 1, 3]), np.transpose(k, [0, 2, 3, 1]))
    .mul(1 / Math.sqrt(width / heads))
    .add(bias.reshape([batch, 1, asking, length]))
  // Mixed so that the heads of a position come out side by side; to transpose afterwards would cost more than the mixing.
  const weights = np.transpose(nn.softmax(scores, -1), [0, 2, 1, 3]).reshape([batch, asking, heads, 1, length])
  const values = np.transpose(v, [0, 2, 1, 3]).reshape([batch, 1, heads, length, width / heads])
  return np.matmul(weights, values).reshape([batch, asking, width])
}
