"""One whole PPO update in PyTorch float64, from the weights and the rollout of a case file: what test/pytorch.test.ts compares with.

    python3 -m pip install torch==2.13.0
    python3 scripts/golden/ppo_update.py CASE.json > EXPECTED.json

Reads {config, policy, reference, value, rows, promptLength, mask, scores, oldLogProbs, valueShift, options}; writes every
intermediate, every clipped gradient, and every weight after one and after two Adam steps of the policy and of the value model (the
second one knows whether moments and bias corrections are kept); the Bradley-Terry and the supervised loss with every gradient, and
every weight after a step of the reward model.
"""
import json
import math
import sys

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
# Tensors this small gain nothing from threads, which wait for each other on a busy machine.
torch.set_num_threads(1)
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


def gradients(p, loss):
    """Every gradient, with their global norm."""
    grads = dict(zip(p, torch.autograd.grad(loss, list(p.values()), allow_unused=True)))
    grads = {name: torch.zeros_like(p[name]) if g is None else g for name, g in grads.items()}
    return grads, math.sqrt(sum((g**2).sum().item() for g in grads.values()))


def plain(tensors):
    """Nine digits are a thousand times what float32 can be compared to."""
    return {name: [float(f"{x:.9g}") for x in tensor.detach().flatten().tolist()] for name, tensor in tensors.items()}


def train(name, p, loss_of, rate, steps):
    """Adam with clipped gradients; notes the first step's norm and clipped gradients, and the weights after each step."""
    leaves = {weight: w.detach().clone().requires_grad_(True) for weight, w in p.items()}
    optimizer = torch.optim.Adam(leaves.values(), lr=rate, betas=(0.9, 0.999), eps=options["epsilon"])
    for step in range(steps):
        grads, total = gradients(leaves, loss_of(leaves))
        scale = min(1.0, options["maxGradientNorm"] / (total + 1e-6))
        for weight, leaf in leaves.items():
            leaf.grad = grads[weight] * scale
        if step == 0:
            out[name + "GradientNorm"] = total
            out[name + "Gradients"] = plain({weight: leaf.grad for weight, leaf in leaves.items()})
        optimizer.step()
        out[name + ("After" if step == 0 else "AfterTwo")] = plain(leaves)


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


def policy_loss(p, note=lambda **measured: None):
    log_probs, entropy = token_log_probs(p, rows)
    log_ratio = (log_probs - old_log_probs) * mask
    ratio = log_ratio.exp()
    unclipped = -whitened * ratio
    clipped = -whitened * ratio.clamp(1 - options["clipRange"], 1 + options["clipRange"])
    loss = masked_mean(torch.maximum(unclipped, clipped), mask)
    mean_entropy = masked_mean(entropy, mask)
    note(
        policyLoss=loss,
        policyLossUnclipped=masked_mean(unclipped, mask),
        clipFraction=masked_mean((clipped > unclipped).double(), mask),
        approxKl=masked_mean(ratio - 1 - log_ratio, mask),
        meanEntropy=mean_entropy,
        ratioMean=masked_mean(ratio, mask),
        ratioMax=(ratio * mask).max(),
    )
    return loss - options["entropyCoefficient"] * mean_entropy


def value_loss(p, note=lambda **measured: None):
    now = scalar(p, hidden(p, rows)[:, P - 1 : -1])
    change = (now - shifted_old_values).clamp(-options["valueClipRange"], options["valueClipRange"])
    plain_error, clipped_error = (now - returns) ** 2, (shifted_old_values + change - returns) ** 2
    loss = 0.5 * masked_mean(torch.maximum(plain_error, clipped_error), mask)
    note(valueLoss=loss, valueClipFraction=masked_mean((clipped_error > plain_error).double(), mask))
    return loss


def supervised_loss(p):
    return -masked_mean(token_log_probs(p, rows)[0], mask)


def sequence_scores(p):
    last = torch.tensor([max(t for t, token in enumerate(row) if token != PAD) for row in rows])
    return scalar(p, hidden(p, rows))[torch.arange(len(rows)), last]


def preference_loss(p):
    scores = sequence_scores(p)
    half = len(rows) // 2
    return F.softplus(scores[half:] - scores[:half]).mean()


def note(**measured):
    out.update({name: value.item() for name, value in measured.items()})


shifted_old_values = old_values + torch.tensor(case["valueShift"])
policy_loss(policy, note)
value_loss(value, note)
train("policy", policy, policy_loss, options["learningRate"], 2)
train("value", value, value_loss, options["valueLearningRate"], 2)

out["supervisedLoss"] = supervised_loss(policy).item()
grads, out["supervisedGradientNorm"] = gradients(policy, supervised_loss(policy))
out["supervisedGradients"] = plain(grads)

out["sequenceScores"] = sequence_scores(value).detach().tolist()
out["preferenceLoss"] = preference_loss(value).item()
train("preference", value, preference_loss, options["rewardLearningRate"], 1)
json.dump(out, sys.stdout)
