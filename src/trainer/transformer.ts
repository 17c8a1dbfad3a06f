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

/** Hidden states [batch, length, width] after the final norm. */
export function hiddenStates(p: TensorRecord, sequence: SequenceTensors, config: ModelConfig): Tensor {
  const { numpy: np } = backend()
  const { tokens, positions, mask } = sequence
  const [batch, length] = tokens.shape as [number, number]
  const causal = np.tril(np.ones([length, length]))
  const allowed = causal.reshape([1, 1, length, length]).mul(mask.reshape([batch, 1, 1, length]))
  // Large and finite: a padded query sees nothing, and must not become NaN.
  const bias = allowed.sub(1).mul(1e9)
  let x = np.take(p['wte.weight']!.ref, tokens, 0).add(np.take(p['wpe.weight']!.ref, positions, 0))
  for (let layer = 0; layer < config.layers; layer++) {
    const at = `h.${layer}.`
    x = x.ref.add(attention(p, at, layerNorm(p, `${at}ln_1`, x), bias.ref, config))
    x = x.ref.add(mlp(p, at, layerNorm(p, `${at}ln_2`, x)))
  }
  bias.dispose()
  return layerNorm(p, 'ln_f', x)
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
  const { nn } = backend()
  return linear(p, `${at}mlp.proj`, nn.gelu(linear(p, `${at}mlp.fc`, x)))
}

/** Queries, keys and values [batch, heads, length, width / heads] of a block. */
export function queriesKeysValues(
  p: TensorRecord,
  at: string,
  x: Tensor,
  config: ModelConfig,
): [Tensor, Tensor, Tensor] {
  const { numpy: np } = backend()
  const [batch, length] = x.shape as [number, number]
  const size = config.width / config.heads
  const qkv = linear(p, `${at}attn.qkv`, x).reshape([batch, length, 3, config.heads, size])
  const [q, k, v] = np.split(np.transpose(qkv, [2, 0, 3, 1, 4]), 3, 0)
  const shape = [batch, config.heads, length, size]
  return [q!.reshape(shape), k!.reshape(shape), v!.reshape(shape)]
}

/** Softmax attention of queries over keys; all are taken. */
export function attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor, config: ModelConfig): Tensor {
  const { numpy: np, nn } = backend()
  const [batch, , length] = q.shape as [number, number, number]
  const scores = np
    .matmul(q, np.transpose(k, [0, 1, 3, 2]))
    .mul(1 / Math.sqrt(config.width / config.heads))
    .add(bias)
  const mixed = np.matmul(nn.softmax(scores, -1), v)
  return np.transpose(mixed, [0, 2, 1, 3]).reshape([batch, length, config.width])
}

function attention(p: TensorRecord, at: string, x: Tensor, bias: Tensor, config: ModelConfig): Tensor {
  const [q, k, v] = queriesKeysValues(p, at, x, config)
  return linear(p, `${at}attn.proj`, attend(q, k, v, bias, config))
}
