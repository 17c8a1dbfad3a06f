"""A model, a tokenizer and data small enough to train in seconds, made here: nothing is downloaded."""

from __future__ import annotations

import os
import random
from typing import Any, Dict, List

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    PreTrainedTokenizerFast,
    Qwen2Config,
)

WORDS = "one two three four five six seven eight nine ten apple bread stone river light paper good bad very so".split()
CHAT = "{% for message in messages %}{{ message['role'] + ' ' + message['content'] + ' ' }}{% endfor %}"

torch.set_num_threads(1)


def tokenizer() -> PreTrainedTokenizerFast:
    names = ["<pad>", "<eos>", "<unk>", "user", "assistant", *WORDS]
    raw = Tokenizer(models.WordLevel({name: i for i, name in enumerate(names)}, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made = PreTrainedTokenizerFast(tokenizer_object=raw, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>")
    made.chat_template = CHAT
    return made


def config(**more: Any) -> Qwen2Config:
    return Qwen2Config(
        vocab_size=len(WORDS) + 5,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=64,
        pad_token_id=0,
        eos_token_id=1,
        bos_token_id=None,
        **more,
    )


def causal(seed: int = 0) -> Any:
    torch.manual_seed(seed)
    return AutoModelForCausalLM.from_config(config())


def saved(folder: str) -> str:
    """The model in a folder, for trainers that load their reference by its name."""
    path = os.path.join(folder, "model")
    if not os.path.isdir(path):
        causal().save_pretrained(path)
        tokenizer().save_pretrained(path)
    return path


def scorer(seed: int = 1) -> Any:
    torch.manual_seed(seed)
    return AutoModelForSequenceClassification.from_config(config(num_labels=1))


def _sentence(chance: random.Random, length: int) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(length))


def prompts(count: int) -> Dataset:
    chance = random.Random(0)
    return Dataset.from_list([{"prompt": _sentence(chance, 4)} for _ in range(count)])


def texts(count: int) -> Dataset:
    chance = random.Random(0)
    return Dataset.from_list([{"text": _sentence(chance, 10)} for _ in range(count)])


def pairs(count: int, prompt: bool) -> Dataset:
    chance = random.Random(0)
    rows: List[Dict[str, str]] = []
    for _ in range(count):
        row = {"chosen": " good " + _sentence(chance, 4), "rejected": " bad " + _sentence(chance, 4)}
        if prompt:
            row["prompt"] = _sentence(chance, 4)
        rows.append(row)
    return Dataset.from_list(rows)


def tokens(count: int) -> Dataset:
    made = tokenizer()
    return Dataset.from_list([{"input_ids": made(row["prompt"])["input_ids"]} for row in prompts(count)])
