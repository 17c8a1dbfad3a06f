"""The PPO iteration of src/trainer in PyTorch float32 on the CPU: what bench/trainer.mjs is compared with.

    python3 -m pip install torch==2.13.0 safetensors numpy

Reads a case (JSON, path as the only argument) with the policy's safetensors file, prompts and settings. Each line on standard input,
{"threads": n, "iterations": n}, is answered by a line with the milliseconds of every stage of every iteration. Same architecture,
batch, lengths and epochs as ours; generation has a key-value cache; attention and Adam are PyTorch's fused ones.
"""
import json
import math
import sys
import time

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

case = json.load(open(sys.argv[1]))
config, options = case["config"], case["options"]
H, D, LAYERS, V = config["heads"], config["width"], config["layers"], config["vocabSize"]
P, R, B, PAD, EOS = case["promptLength"], case["responseLength"], case["batchSize"], 0, case["eosId"]
FORBIDDEN = torch.zeros(V)
FORBIDDEN[PAD] = -1e9
prompts = torch.tensor(case["prompts"])


def model(head, grad):
    p = {name: weight.clone() for name, weight in load_file(case["weights"]).items()}
    if head:
        p["head.weight"], p["head.bias"] = torch.zeros(D, 1), torch.zeros(1)
    return {name: weight.requires_grad_(grad) for name, weight in p.items()}


def norm(p, name, x):
    return F.layer_norm(x, (D,), p[name + ".weight"], p[name + ".bias"], eps=1e-5)


def linear(p, name, x):
    return torch.addmm(p[name + ".bias"], x.reshape(-1, x.shape[-1]), p[name + ".weight"]).view(*x.shape[:-1], -1)


def block(p, at, x, attend):
    B, T, _ = x.shape
    q, k, v = linear(p, at + "attn.qkv", norm(p, at + "ln_1", x)).view(B, T, 3, H, D // H).permute(2, 0, 3, 1, 4)
    x = x + linear(p, at + "attn.proj", attend(q, k, v).transpose(1, 2).reshape(B, T, D))
    return x + linear(p, at + "mlp.proj", F.gelu(linear(p, at + "mlp.fc", norm(p, at + "ln_2", x)), approximate="tanh"))


def embed(p, tokens, positions):
    return F.embedding(tokens, p["wte.weight"]) + F.embedding(positions, p["wpe.weight"])


def causal_bias(real):
    T = real.shape[1]
    return torch.where(torch.tril(torch.ones(T, T, dtype=torch.bool)) & real[:, None, None, :], 0.0, -1e9)


def hidden(p, tokens):
    real = tokens != PAD
    x = embed(p, tokens, (real.cumsum(-1) - 1).clamp(min=0) * real)
    bias = causal_bias(real)
    for layer in range(LAYERS):
        x = block(p, f"h.{layer}.", x, lambda q, k, v: F.scaled_dot_product_attention(q, k, v, attn_mask=bias))
    return norm(p, "ln_f", x)


def logits(p, h):
    return h @ p["wte.weight"].T + FORBIDDEN


def generate(p, prompt):
    real = prompt != PAD
    counts = real.sum(-1)
    keys, values = ([torch.zeros(B, H, P + R, D // H) for _ in range(LAYERS)] for _ in range(2))
    visible = torch.zeros(B, P + R, dtype=torch.bool)
    visible[:, :P] = real
    responses = torch.full((B, R), PAD)
    ended = torch.zeros(B, dtype=torch.bool)

    def step(x, start, length, bias):
        for layer in range(LAYERS):

            def attend(q, k, v, layer=layer):
                keys[layer][:, :, start : start + length], values[layer][:, :, start : start + length] = k, v
                end = start + length
                return F.scaled_dot_product_attention(q, keys[layer][:, :, :end], values[layer][:, :, :end], attn_mask=bias)

            x = block(p, f"h.{layer}.", x, attend)
        return logits(p, norm(p, "ln_f", x[:, -1]))

    scores = step(embed(p, prompt, (real.cumsum(-1) - 1).clamp(min=0) * real), 0, P, causal_bias(real))
    for t in range(R):
        token = torch.multinomial(scores.softmax(-1), 1)[:, 0]
        responses[:, t] = torch.where(ended, PAD, token)
        ended |= token == EOS
        if t == R - 1 or bool(ended.all()):
            break
        visible[:, P + t] = True
        bias = torch.where(visible[:, None, None, : P + t + 1], 0.0, -1e9)
        scores = step(embed(p, token[:, None], (counts + t)[:, None]), P + t, 1, bias)
    return torch.cat([prompt, responses], 1)


def scored(p, rows):
    everything = logits(p, hidden(p, rows)[:, P - 1 : -1]).log_softmax(-1)
    return everything.gather(-1, rows[:, P:, None])[..., 0], -(everything.exp() * everything).sum(-1)


def scalar(p, h):
    return (h @ p["head.weight"] + p["head.bias"])[..., 0]


def mean(x, mask):
    return (x * mask).sum() / mask.sum()


policy, reference = model(False, True), model(False, False)
value, reward = model(True, True), model(True, False)
adam = dict(eps=1e-5, fused=True)
policy_adam = torch.optim.Adam(policy.values(), lr=options["learningRate"], **adam)
value_adam = torch.optim.Adam(value.values(), lr=options["valueLearningRate"], **adam)


def update(p, optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(p.values(), 1.0)
    optimizer.step()


def iteration():
    at, cpu, took = time.perf_counter(), time.process_time(), {}

    def done(stage):
        nonlocal at
        now = time.perf_counter()
        took[stage] = 1000 * (now - at)
        at = now

    with torch.inference_mode():
        rows = generate(policy, prompts[torch.randint(len(prompts), (B,))])
    rows = rows.clone()  # an ordinary tensor again
    done("generation")
    with torch.inference_mode():
        old, _ = scored(policy, rows)
        ref, _ = scored(reference, rows)
        values = scalar(value, hidden(value, rows)[:, P - 1 : -1])
        done("scoring")
        last = (torch.arange(P + R) * (rows != PAD)).argmax(-1)
        scores = scalar(reward, hidden(reward, rows))[torch.arange(B), last]
        done("rewardModel")
        mask = (rows[:, P:] != PAD).float()
        rewards = -options["klCoefficient"] * (old - ref) * mask
        lengths = mask.sum(-1).long()
        rewards[torch.arange(B), lengths - 1] += scores
        advantages = torch.zeros(B, R)
        advantage, following = torch.zeros(B), torch.zeros(B)
        for t in reversed(range(R)):
            delta = rewards[:, t] + options["gamma"] * following - values[:, t]
            advantage = (delta + options["gamma"] * options["lambda"] * advantage) * mask[:, t]
            following = values[:, t] * mask[:, t]
            advantages[:, t] = advantage
        returns = advantages + values
        real = advantages[mask == 1]
        whitened = (advantages - real.mean()) / (real.std() + 1e-8) * mask
    old, values, returns, whitened, mask = (x.clone() for x in (old, values, returns, whitened, mask))
    done("advantages")
    for _ in range(options["ppoEpochs"]):
        order = torch.randperm(B)
        m = mask[order]
        log_probs, _entropy = scored(policy, rows[order])
        mean(_entropy.detach(), m)
        ratio = ((log_probs - old[order]) * m).exp()
        gain = -whitened[order]
        loss = mean(torch.maximum(gain * ratio, gain * ratio.clamp(0.8, 1.2)), m)
        update(policy, policy_adam, loss)
    done("policyUpdate")
    for _ in range(options["ppoEpochs"]):
        order = torch.randperm(B)
        now, before, target = scalar(value, hidden(value, rows[order])[:, P - 1 : -1]), values[order], returns[order]
        clipped = before + (now - before).clamp(-0.2, 0.2)
        update(value, value_adam, 0.5 * mean(torch.maximum((now - target) ** 2, (clipped - target) ** 2), mask[order]))
    done("valueUpdate")
    took["cpu"] = 1000 * (time.process_time() - cpu)
    return took


print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    torch.set_num_threads(asked["threads"])
    print(json.dumps([iteration() for _ in range(asked["iterations"])]), flush=True)
