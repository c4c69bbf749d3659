"""ROUGE of the model's greedy synopses against the maintainers', beside the lead-sentence baseline.

``python evaluate.py --data DIR --weights RUN_OR_MODEL ... --out results.json``: every folder of weights is
either a training run (exact weights, ``checkpoint.pt``) or a released model. Progress goes to stdout.
"""

import argparse
import itertools
import json
import pathlib
import re

import torch
from torch import Tensor

import checkpoint
from data import MAX_SYNOPSIS_TOKENS, ChatEncoder, read_jsonl
from model import Config, Model, Past, Run
from rouge import mean_scores
from train import Rows, validate


def lead_sentence(description: str) -> str:
    """The description up to its first full stop, question or exclamation mark that ends a sentence."""
    first = description.split("\n")[0]
    return re.split(r"(?<=[.!?])\s", first, maxsplit=1)[0]


def load_weights(folder: pathlib.Path) -> Model:
    if (folder / "checkpoint.pt").exists():
        state = torch.load(folder / "checkpoint.pt")
        model = Model(Config(**state["config"]))
        model.load_state_dict(state["model"])
        return model
    return checkpoint.load(Model(Config.load(folder / "config.json")), folder)


@torch.no_grad()
def generate_together(model: Model, prompts: Tensor, eos: int, run: Run) -> list[list[int]]:
    """Greedy continuations of prompts of one length, ids [B, T], without their EOS."""
    past, answers, ids, start = [Past() for _ in model.layers], [], prompts, 0
    for _ in range(MAX_SYNOPSIS_TOKENS):
        x, _ = model.streams(ids, run, past, start)
        start, ids = start + ids.shape[1], model.head(x[:, -1], run).argmax(-1, keepdim=True)
        answers.append(ids)
        if (torch.cat(answers, 1) == eos).any(1).all():
            break
    return [a[:a.index(eos)] if eos in a else a for a in torch.cat(answers, 1).tolist()]


def generate(model: Model, prompts: list[list[int]], eos: int, run: Run, batch: int = 64) -> list[list[int]]:
    """Greedy continuations without their EOS, at most MAX_SYNOPSIS_TOKENS ids each."""
    answers: dict[int, list[int]] = {}
    by_length = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    for _, group in itertools.groupby(by_length, key=lambda i: len(prompts[i])):
        members = list(group)
        for rows in (members[i:i + batch] for i in range(0, len(members), batch)):
            answers |= zip(rows, generate_together(model, torch.tensor([prompts[i] for i in rows]), eos, run))
    return [answers[i] for i in range(len(prompts))]


def evaluate(model: Model, rows: list[dict[str, str]], encoded: Rows, encoder: ChatEncoder, run: Run) -> tuple[dict[str, float], list[str]]:
    prompts = [encoder.prompt(r["description"]) for r in rows]
    texts = [encoder.decode(a) for a in generate(model, prompts, encoder.eos, run)]
    loss = validate(model, encoded, run)
    return {"cross_entropy": loss, **mean_scores([r["synopsis"] for r in rows], texts)}, texts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--weights", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--side", default="test")
    parser.add_argument("--limit", type=int, default=None, help="only the first rows, for a quick look")
    parser.add_argument("--kv", choices=["exact", "rounded", "both"], default="both")
    args = parser.parse_args()
    torch.set_num_threads(1)
    rows = read_jsonl(args.data / f"{args.side}.jsonl")[:args.limit]
    encoder = ChatEncoder(str(args.data / "tokenizer.json"))
    encoded = Rows(args.data / f"{args.side}.npz", encoder)
    encoded.lengths = encoded.lengths[:args.limit]
    references = [r["synopsis"] for r in rows]
    results = {"rows": len(rows), "lead_sentence": mean_scores(references, [lead_sentence(r["description"]) for r in rows])}
    print(json.dumps(results), flush=True)
    runs = {"exact": [False], "rounded": [True], "both": [False, True]}[args.kv]
    for folder in args.weights:
        for round_kv in runs:
            run = Run(round_kv=round_kv)
            name = ("exact weights" if (folder / "checkpoint.pt").exists() else "released weights") + (", rounded KV" if round_kv else "")
            results[name], texts = evaluate(load_weights(folder), rows, encoded, encoder, run)
            results[name]["rougeL_over_lead"] = results[name]["rougeL"] / results["lead_sentence"]["rougeL"]
            print(name, json.dumps(results[name]), flush=True)
            args.out.write_text(json.dumps(results, indent=1) + "\n")
            for row, text in list(zip(rows, texts))[:12]:
                print(f"  {row['package']}: {text}   |   {row['synopsis']}", flush=True)


if __name__ == "__main__":
    main()
