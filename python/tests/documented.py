"""What the reader of a document has already: a model, data and arguments. Beside it, so that an example can be as short as in life."""

from __future__ import annotations

import os
from typing import Any

import tiny

model = tiny.saved(os.getcwd())
dataset = tiny.prompts(16)
tokenizer = tiny.tokenizer()


def grpo_arguments() -> Any:
    from trl import GRPOConfig

    return GRPOConfig(
        output_dir="output", max_steps=2, per_device_train_batch_size=4, num_generations=2, max_completion_length=4, logging_steps=1,
        save_strategy="no", report_to=[], disable_tqdm=True, use_cpu=True,
    )


def my_reward(completions: Any, **kwargs: Any) -> Any:
    return [float(len(text)) for text in completions]


def train_step(step: int) -> Any:
    return {"reward": 0.1 * step, "kl_div": 0.01}
