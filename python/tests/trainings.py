"""Trains for real, each for a few steps, with the callback: ``python trainings.py FOLDER [--steps N] [--until-stopped] NAME...``

Below FOLDER are the runs (``runs/NAME``) and what each trainer says itself (``NAME.json``: its ``log_history``, where it stopped, its
checkpoints), for a test to compare. With ``--until-stopped`` a training goes on for thousands of steps unless it is ordered to stop.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any, Callable, Dict, List

import tiny
import torch
import transformers

import telltale

MANY_STEPS = 4000


def words_of(completions: List[str], **kwargs: Any) -> List[float]:
    return [float(len(text.split())) / 8 for text in completions]


async def good_words(completions: List[str], **kwargs: Any) -> List[Any]:
    # None is TRL's way to say that a function does not judge an answer.
    return [float("good" in text) if text else None for text in completions]


def common(folder: str, name: str, steps: int, **more: Any) -> Dict[str, Any]:
    return {
        "output_dir": os.path.join(folder, "output", name),
        "max_steps": steps,
        "per_device_train_batch_size": 4,
        "learning_rate": 1e-3,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": [],
        "disable_tqdm": True,
        "use_cpu": True,
        **more,
    }


def plain(folder: str, steps: int, callback: Any) -> Any:
    made = tiny.tokenizer()

    def collate(rows: List[Dict[str, str]]) -> Dict[str, Any]:
        batch = made([row["text"] for row in rows], return_tensors="pt", padding=True, return_token_type_ids=False)
        return {**batch, "labels": batch["input_ids"]}

    args = transformers.TrainingArguments(**common(folder, "trainer", steps, remove_unused_columns=False))
    return transformers.Trainer(
        model=tiny.causal(), args=args, train_dataset=tiny.texts(64), data_collator=collate, callbacks=[callback]
    )


def sft(folder: str, steps: int, callback: Any) -> Any:
    from trl import SFTConfig, SFTTrainer

    return SFTTrainer(
        model=tiny.causal(),
        args=SFTConfig(**common(folder, "sft", steps, eval_strategy="steps", eval_steps=3), max_length=32),
        train_dataset=tiny.texts(64),
        eval_dataset=tiny.texts(8),
        processing_class=tiny.tokenizer(),
        callbacks=[callback],
    )


def dpo(folder: str, steps: int, callback: Any) -> Any:
    from trl import DPOConfig, DPOTrainer

    return DPOTrainer(
        model=tiny.causal(),
        ref_model=tiny.causal(),
        args=DPOConfig(**common(folder, "dpo", steps), max_length=32),
        train_dataset=tiny.pairs(64, prompt=True),
        processing_class=tiny.tokenizer(),
        callbacks=[callback],
    )


def reward(folder: str, steps: int, callback: Any) -> Any:
    from trl import RewardConfig, RewardTrainer

    return RewardTrainer(
        model=tiny.scorer(),
        args=RewardConfig(**common(folder, "reward", steps), max_length=32),
        train_dataset=tiny.pairs(64, prompt=False),
        processing_class=tiny.tokenizer(),
        callbacks=[callback],
    )


def grpo(folder: str, steps: int, callback: Any) -> Any:
    from trl import GRPOConfig, GRPOTrainer

    return GRPOTrainer(
        model=tiny.saved(folder),
        args=GRPOConfig(
            **common(folder, "grpo", steps), num_generations=2, max_completion_length=6, beta=0.05, reward_weights=[1.0, 0.5]
        ),
        reward_funcs=telltale.watch_rewards([words_of, good_words], callback, weights=[1.0, 0.5]),
        train_dataset=tiny.prompts(64),
        processing_class=tiny.tokenizer(),
        callbacks=[callback],
    )


def grpo_plain(folder: str, steps: int, callback: Any) -> Any:
    from trl import GRPOConfig, GRPOTrainer

    return GRPOTrainer(
        model=tiny.saved(folder),
        args=GRPOConfig(**common(folder, "grpo-plain", steps), num_generations=2, max_completion_length=6),
        reward_funcs=words_of,
        train_dataset=tiny.prompts(64),
        processing_class=tiny.tokenizer(),
        callbacks=[callback],
    )


def rloo(folder: str, steps: int, callback: Any) -> Any:
    from trl import RLOOConfig, RLOOTrainer

    return RLOOTrainer(
        model=tiny.saved(folder),
        args=RLOOConfig(**common(folder, "rloo", steps), num_generations=2, max_completion_length=6),
        reward_funcs=telltale.watch_rewards(words_of, callback),
        train_dataset=tiny.prompts(64),
        processing_class=tiny.tokenizer(),
        callbacks=[callback],
    )


def ppo(folder: str, steps: int, callback: Any) -> Any:
    from trl.experimental.ppo import PPOConfig, PPOTrainer

    said = common(folder, "ppo", steps)
    del said["max_steps"]
    return PPOTrainer(
        args=PPOConfig(**said, total_episodes=4 * steps, response_length=6, num_ppo_epochs=2, num_sample_generations=0),
        processing_class=tiny.tokenizer(),
        model=tiny.causal(),
        ref_model=tiny.causal(),
        reward_model=tiny.scorer(1),
        value_model=tiny.scorer(2),
        train_dataset=tiny.tokens(64),
        eval_dataset=tiny.tokens(8),
        callbacks=[callback],
    )


TRAININGS: Dict[str, Callable[[str, int, Any], Any]] = {
    "trainer": plain,
    "sft": sft,
    "dpo": dpo,
    "reward": reward,
    "grpo": grpo,
    "grpo-plain": grpo_plain,
    "rloo": rloo,
    "ppo": ppo,
}


def train(folder: str, name: str, steps: int) -> None:
    callback = telltale.TelltaleCallback(project="tiny", run_id=name, dir=folder)
    trainer = TRAININGS[name](folder, steps, callback)
    left_by = None
    try:
        trainer.train()
    except telltale.TelltaleStop as stop:
        left_by = {"reason": stop.reason, "code": stop.code}
    output = os.path.join(folder, "output", name)
    said = {
        "log_history": trainer.state.log_history,
        "step": trainer.state.global_step,
        "stopped": callback.stopped,
        "status": callback.run.status if callback.run else None,
        "left_by": left_by,
        "checkpoints": sorted(os.listdir(output)) if os.path.isdir(output) else [],
    }
    with open(os.path.join(folder, f"{name}.json"), "w") as file:
        json.dump(said, file)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder")
    options.add_argument("names", nargs="+", choices=sorted(TRAININGS))
    options.add_argument("--steps", type=int, default=6)
    options.add_argument("--until-stopped", action="store_true")
    said = options.parse_args()
    for name in said.names:
        torch.manual_seed(0)
        train(said.folder, name, MANY_STEPS if said.until_stopped else said.steps)
        print(f"{name} done", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
