"""One whole PPO update in PyTorch float64, from the weights and the rollout of a case file: what test/pytorch.test.ts compares with.

    python3 -m pip install torch==2.13.0
    python3 scripts/golden/ppo_update.py CASE.json > EXPECTED.json

Reads {config, weights, reference, value, rows, promptLength, mask, scores, options}; writes every intermediate and every weight
after one Adam step of the policy and of the value model, the Bradley-Terry and the supervised loss with their gradient norms.
"""
import json
import math
import sys

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
case = json.load(open(sys.argv[1]))
config, options = case["config"], case["options"]
P = case["promptLength"]
PAD = 0


def load(weights, grad):
    return {name: torch.tensor(w["data"]).reshape(w["shape"]).requires_grad_(grad) for name, w in weights.items()}


def norm(p, name, x):
    return F.layer_norm(x, (x.shape[-1],), p[name + ".weight"], p[name + ".bias"], eps=1e-5)


def linear(p, name, x):
    return x @ p[name + ".weight"] + p[name + ".bias"]


def hidden(p, rows):
    tokens = torch.tensor(rows)
    real = tokens != PAD
    positions = (real.cumsum(-1) - 1).clamp(min=0) * real
    B, T = tokens.shape
    H, D = config["heads"], config["width"]
    causal = torch.tril(torch.ones(T, T, dtype=torch.bool))
    allowed = causal[None, None] & real[:, None, None, :]
    bias = torch.where(allowed, 0.0, -1e9)
    x = p["wte.weight"][tokens] + p["wpe.weight"][positions]
    for layer in range(config["layers"]):
        at = f"h.{layer}."
        qkv = linear(p, at + "attn.qkv", norm(p, at + "ln_1", x)).reshape(B, T, 3, H, D // H).permute(2, 0, 3, 1, 4)
        scores = qkv[0] @ qkv[1].transpose(-1, -2) / math.sqrt(D // H) + bias
        mixed = (scores.softmax(-1) @ qkv[2]).transpose(1, 2).reshape(B, T, D)
        x = x + linear(p, at + "attn.proj", mixed)
        x = x + linear(p, at + "mlp.proj", F.gelu(linear(p, at + "mlp.fc", norm(p, at + "ln_2", x)), approximate="tanh"))
    return norm(p, "ln_f", x)


def log_softmax(p, rows):
    logits = hidden(p, rows)[:, P - 1 : -1] @ p["wte.weight"].T
    forbidden = torch.zeros(config["vocabSize"])
    forbidden[PAD] = -1e9
    return (logits + forbidden).log_softmax(-1)


def token_log_probs(p, rows):
    everything = log_softmax(p, rows)
    responses = torch.tensor(rows)[:, P:]
    return everything.gather(-1, responses[..., None])[..., 0], -(everything.exp() * everything).sum(-1)


def scalar(p, h):
    return (h @ p["head.weight"] + p["head.bias"])[..., 0]


def masked_mean(x, mask):
    return (x * mask).sum() / mask.sum()


def adam_step(p, loss, rate):
    grads = dict(zip(p, torch.autograd.grad(loss, list(p.values()), allow_unused=True)))
    grads = {name: torch.zeros_like(p[name]) if g is None else g for name, g in grads.items()}
    total = math.sqrt(sum((g**2).sum().item() for g in grads.values()))
    scale = min(1.0, options["maxGradientNorm"] / (total + 1e-6))
    leaves = {name: w.detach().clone().requires_grad_(True) for name, w in p.items()}
    optimizer = torch.optim.Adam(leaves.values(), lr=rate, betas=(0.9, 0.999), eps=options["epsilon"])
    for name, leaf in leaves.items():
        leaf.grad = grads[name] * scale
    optimizer.step()
    return total, {name: leaf.detach().flatten().tolist() for name, leaf in leaves.items()}


policy, reference, value = load(case["policy"], True), load(case["reference"], False), load(case["value"], True)
rows, mask = case["rows"], torch.tensor(case["mask"])
out = {"torch": torch.__version__}

log_probs, entropy = token_log_probs(policy, rows)
ref_log_probs, _ = token_log_probs(reference, rows)
values = scalar(value, hidden(value, rows)[:, P - 1 : -1])
old_log_probs = torch.tensor(case["oldLogProbs"])
out["logProbs"], out["entropy"], out["refLogProbs"], out["values"] = [x.detach().flatten().tolist() for x in (log_probs, entropy, ref_log_probs, values)]

# Rewards, advantages and returns from the rollout's own log-probabilities.
kl = (old_log_probs - ref_log_probs.detach()) * mask
rewards = -options["klCoefficient"] * kl
lengths = mask.sum(-1).long()
for r, score in enumerate(case["scores"]):
    rewards[r, lengths[r] - 1] += score
out["klToken"] = masked_mean(kl, mask).item()
out["klTokenK3"] = masked_mean(torch.exp(-kl) - 1 + kl, mask).item()
out["klSequence"] = (kl.sum(-1)).mean().item()
advantages, returns = torch.zeros_like(rewards), torch.zeros_like(rewards)
old_values = values.detach()
for r in range(len(rows)):
    following, next_value = 0.0, 0.0
    for t in reversed(range(int(lengths[r]))):
        delta = rewards[r, t] + options["gamma"] * next_value - old_values[r, t]
        following = delta + options["gamma"] * options["lambda"] * following
        next_value = old_values[r, t]
        advantages[r, t] = following
        returns[r, t] = following + old_values[r, t]
real = advantages[mask == 1]
whitened = torch.where(mask == 1, (advantages - real.mean()) / (real.std() + 1e-8), torch.zeros_like(advantages))
out["rewards"], out["advantages"], out["returns"], out["whitened"] = [x.flatten().tolist() for x in (rewards, advantages, returns, whitened)]

log_ratio = (log_probs - old_log_probs) * mask
ratio = log_ratio.exp()
unclipped = -whitened * ratio
clipped = -whitened * ratio.clamp(1 - options["clipRange"], 1 + options["clipRange"])
policy_loss = masked_mean(torch.maximum(unclipped, clipped), mask)
mean_entropy = masked_mean(entropy, mask)
out["policyLoss"] = policy_loss.item()
out["policyLossUnclipped"] = masked_mean(unclipped, mask).item()
out["clipFraction"] = masked_mean((clipped > unclipped).double(), mask).item()
out["approxKl"] = masked_mean(ratio - 1 - log_ratio, mask).item()
out["meanEntropy"] = mean_entropy.item()
out["policyGradientNorm"], out["policyAfter"] = adam_step(policy, policy_loss - options["entropyCoefficient"] * mean_entropy, options["learningRate"])

shifted_old_values = old_values + torch.tensor(case["valueShift"])
change = (values - shifted_old_values).clamp(-options["valueClipRange"], options["valueClipRange"])
value_loss = 0.5 * masked_mean(torch.maximum((values - returns) ** 2, (shifted_old_values + change - returns) ** 2), mask)
out["valueLoss"] = value_loss.item()
out["valueGradientNorm"], out["valueAfter"] = adam_step(value, value_loss, options["valueLearningRate"])

supervised = -masked_mean(token_log_probs(policy, rows)[0], mask)
out["supervisedLoss"] = supervised.item()
out["supervisedGradientNorm"], _ = adam_step(policy, supervised, 1e-3)

last = torch.tensor([max(t for t, token in enumerate(row) if token != PAD) for row in rows])
scores = scalar(value, hidden(value, rows))[torch.arange(len(rows)), last]
half = len(rows) // 2
preference = F.softplus(scores[half:] - scores[:half]).mean()
out["sequenceScores"] = scores.detach().tolist()
out["preferenceLoss"] = preference.item()
out["preferenceGradientNorm"], _ = adam_step(value, preference, 1e-3)
json.dump(out, sys.stdout)
