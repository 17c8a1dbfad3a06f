"""Trains with TRL's GRPO for ten steps, and has transformers report to every tracker there is: ``python trl_all_trackers.py FOLDER``.

It logs every second step, so that a tracker's count of calls is not the trainer's step. ``log_history.json`` is what the trainer says itself.
"""

import json
import os
import sys
from pathlib import Path

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
os.environ.update(
    WANDB_MODE="offline",
    WANDB_DIR=str(folder),
    WANDB_SILENT="true",
    TRACKIO_DIR=str(folder / "trackio"),
    HF_HUB_OFFLINE="1",
    MLFLOW_TRACKING_URI=f"sqlite:///{folder}/mlflow.db",
    MLFLOW_DISABLE_TELEMETRY="true",
    GIT_PYTHON_REFRESH="quiet",
)
sys.path.insert(0, str(Path(__file__).parents[2] / "python" / "tests"))

import tiny  # noqa: E402
from trl import GRPOConfig, GRPOTrainer  # noqa: E402


def short(completions, **_):
    return [1 / (1 + len(text)) for text in completions]


trainer = GRPOTrainer(
    model=tiny.saved(str(folder)),
    args=GRPOConfig(
        output_dir=str(folder / "output"),
        max_steps=10,
        logging_steps=2,
        save_steps=4,
        per_device_train_batch_size=4,
        num_generations=2,
        max_completion_length=6,
        beta=0.05,
        learning_rate=1e-3,
        log_completions=True,
        report_to=["tensorboard", "wandb", "trackio", "mlflow"],
        disable_tqdm=True,
        use_cpu=True,
    ),
    reward_funcs=short,
    train_dataset=tiny.prompts(64),
    processing_class=tiny.tokenizer(),
)
trainer.train()
(folder / "log_history.json").write_text(json.dumps(trainer.state.log_history))
