"""Trains the model: ``python train.py --data DIR --out DIR --config config.json --minutes 70``.

The schedule runs on the processor time spent in steps, so a busy or paused machine does not shorten a run. Killed or
stopped, it goes on from its last checkpoint when started again with the same arguments. With ``--start MODEL`` it is a
second run, from the weights of a released model.
"""

import argparse
import contextlib
import dataclasses
import json
import pathlib
import time
from typing import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

import checkpoint
import quant
from data import OMISSION, PAD, ChatEncoder
from model import Config, Model, Run
from optimizer import optimizers

TRAINING = Run(dtype=torch.bfloat16, round_kv=True, train_indexer=True)
BUCKETS = {72: 64, 104: 44, 144: 32}            # padded length -> rows of a batch: about 4,600 tokens each
SEED = 20261122
MUON_LR, ADAM_LR = 0.02, 3e-3
WARMUP_STEPS, DECAY_FROM, ROUND_WEIGHTS_FROM = 40, 0.25, 0.85
RENAMED_ROWS, RENAMED_WORDS = 0.5, 0.6          # see Rows.renamed
BLANK, FREQUENT = "Ġ", 472                      # ids below are markers, bytes and the 200 commonest pieces
CROPPED = 0.3                                   # of the rows longer than the shortest bucket lose their middle
PREDICTED = 1792                                # tokens a step predicts: all of the answers, the rest from descriptions
INDEXER_WEIGHT, BALANCE_STEP = 0.02, 0.01
CHECKPOINT_SECONDS, VALIDATE_SECONDS = 180, 900


@dataclasses.dataclass(frozen=True)
class Stage:
    """What differs between a first run and one that starts from a trained model."""

    rate: float                                 # multiplies the peak learning rates
    description_weights: tuple[float, float]    # at the start and at the end


FIRST, SECOND = Stage(1.0, (1.0, 0.2)), Stage(0.6, (0.3, 0.1))


class Rows:
    """The encoded rows of one side of the split."""

    def __init__(self, path: pathlib.Path, encoder: ChatEncoder):
        stored, vocabulary = np.load(path), encoder.tokenizer.get_vocab()
        self.ids, self.starts, self.answers = stored["ids"].astype(np.int64), stored["starts"], stored["answers"]
        self.lengths, self.pad = np.diff(self.starts), vocabulary[PAD]
        self.omission = encoder.text(OMISSION)
        self.kinds = np.zeros(len(vocabulary), np.int64)            # 1: starts a word, 2: goes on with one, 0: never renamed
        for token, i in vocabulary.items():
            if i >= FREQUENT and token.removeprefix(BLANK).isalpha():
                self.kinds[i] = 1 if token.startswith(BLANK) else 2
        self.of_kind = [np.flatnonzero(self.kinds == kind) for kind in range(3)]

    def renamed(self, ids: np.ndarray, start: int, random: np.random.Generator) -> np.ndarray:
        """The row with some of the words that its answer shares with its description swapped, in both, for others
        of the same kind: what such a word is called can only be copied, not remembered."""
        shared = np.intersect1d(ids[start:], ids[:start])
        table = np.arange(len(self.kinds))
        for token in shared[random.random(len(shared)) < RENAMED_WORDS]:
            if self.kinds[token]:
                table[token] = random.choice(self.of_kind[self.kinds[token]])
        return table[ids]

    def kept(self, row: int, length: int) -> np.ndarray:
        """The row's ids, with the middle of its description left out so that `length` suffices."""
        ids, start = self.ids[self.starts[row]:self.starts[row + 1]], self.answers[row]
        if len(ids) <= length:
            return ids
        room = length - len(self.omission) - (len(ids) - start) - 4
        head = (room + 1) // 2
        return np.concatenate([ids[:2 + head], self.omission, ids[start - 2 - (room - head):]])

    def batch(self, rows: np.ndarray, length: int, random: np.random.Generator | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """-> ids [B, length], and where the next token is one of the answer's / of the description's [B, length]."""
        ids = np.full((len(rows), length), self.pad)
        answer, description = (np.zeros((len(rows), length), bool) for _ in range(2))
        for i, row in enumerate(rows):
            kept = self.kept(row, length)
            start = len(kept) - (self.lengths[row] - self.answers[row])
            if random and random.random() < RENAMED_ROWS:
                kept = self.renamed(kept, start, random)
            ids[i, :len(kept)] = kept
            answer[i, start - 1:len(kept) - 1] = True
            description[i, 1:start - 3] = True
        return torch.from_numpy(ids), torch.from_numpy(answer), torch.from_numpy(description)


def epoch(rows: Rows, number: int) -> list[tuple[np.ndarray, int]]:
    """One seeded pass over the rows in batches of similar length; CROPPED of the longer rows are cut to the shortest."""
    random = np.random.default_rng([SEED, number])
    order = random.permutation(len(rows.lengths))
    lengths = rows.lengths[order].clip(max=max(BUCKETS))
    lengths[random.random(len(order)) < CROPPED] = min(BUCKETS)
    batches, shorter = [], 0
    for length, size in BUCKETS.items():
        members = order[(np.minimum(lengths, rows.lengths[order]) > shorter) & (lengths <= length)]
        batches += [(members[i:i + size], length) for i in range(0, len(members) - size + 1, size)]
        shorter = length
    return [batches[i] for i in random.permutation(len(batches))]


def batches(rows: Rows, step: int) -> Iterator[tuple[float, np.ndarray, int]]:
    """(epochs done, rows, padded length) from `step` on."""
    first = number = 0
    while True:
        members = epoch(rows, number)
        for i in range(max(0, step - first), len(members)):
            yield number + i / len(members), *members[i]
        first, number = first + len(members), number + 1


def loss_of(model: Model, batch: tuple[Tensor, Tensor, Tensor], description_weight: float) -> tuple[Tensor, dict[str, float]]:
    ids, answer, description = batch
    wanted = torch.where(answer, 2.0, description * torch.rand(description.shape)).flatten()
    where = torch.zeros_like(wanted, dtype=torch.bool).index_fill_(0, wanted.topk(PREDICTED).indices, True).view_as(answer)
    logits, indexer = model.losses(ids, where, TRAINING)
    each = F.cross_entropy(logits.float(), ids.roll(-1, 1)[where], reduction="none")
    of_answer = answer[where]
    synopsis, text = each[of_answer].mean(), each[~of_answer].mean()
    return (synopsis + description_weight * text + INDEXER_WEIGHT * indexer,
            {"synopsis": synopsis.item(), "description": text.item(), "indexer": indexer.item()})


@torch.no_grad()
def validate(model: Model, rows: Rows, run: Run, batch: int = 50) -> float:
    """Mean cross-entropy of the synopsis tokens of all rows."""
    total = count = 0
    order = np.argsort(rows.lengths)
    for i in range(0, len(order), batch):
        chosen = order[i:i + batch]
        ids, answer, _ = rows.batch(chosen, int(rows.lengths[chosen].max()))
        logits, _ = model.losses(ids, answer, run)
        total += F.cross_entropy(logits.float(), ids.roll(-1, 1)[answer], reduction="sum").item()
        count += int(answer.sum())
    return total / count


@contextlib.contextmanager
def rounded_weights(model: Model, on: bool = True) -> Iterator[None]:
    """Inside, the weights hold their released FP8 or FP4 values; gradients then count for the exact ones."""
    if not on:
        yield
        return
    exact = {}
    with torch.no_grad():
        for module in model.modules():
            for p, rounding in module.roundings() if hasattr(module, "roundings") else ():
                exact[p] = p.detach().clone()
                p.copy_(rounding(p))
    try:
        yield
    finally:
        with torch.no_grad():
            for p, value in exact.items():
                p.copy_(value)


def balance(model: Model) -> None:
    """Auxiliary-loss-free balancing: the bias of a busy expert sinks, that of an idle one rises."""
    for layer in model.layers:
        if not layer.ffn.gate.hashed:
            layer.ffn.gate.bias += BALANCE_STEP * torch.sign(layer.ffn.load.float().mean() - layer.ffn.load)


def rate(step: int, progress: float) -> float:
    """Warm-up by steps, then constant, then linear in training time to nearly nothing."""
    return min(1.0, (step + 1) / WARMUP_STEPS) * min(1.0, max(0.01, (1 - progress) / (1 - DECAY_FROM)))


class Trainer:
    def __init__(self, config: Config, data: pathlib.Path, out: pathlib.Path, minutes: float, start: pathlib.Path | None):
        torch.manual_seed(SEED)
        self.stage = SECOND if start else FIRST
        encoder = ChatEncoder(str(data / "tokenizer.json"))
        self.rows, self.held_out = Rows(data / "train.npz", encoder), Rows(data / "val.npz", encoder)
        self.model = checkpoint.load(Model(config), start) if start else Model(config)
        self.optimizers = optimizers(self.model, MUON_LR * self.stage.rate, ADAM_LR * self.stage.rate)
        self.out, self.seconds = out, 60 * minutes
        self.step, self.elapsed, self.tokens, self.log = 0, 0.0, 0, []

    def save(self) -> None:
        state = {"model": self.model.state_dict(), "optimizers": [o.state_dict() for o in self.optimizers], "step": self.step,
                 "elapsed": self.elapsed, "tokens": self.tokens, "log": self.log, "config": dataclasses.asdict(self.model.config),
                 "random": torch.get_rng_state()}
        torch.save(state, self.out / "checkpoint.new")
        (self.out / "checkpoint.new").rename(self.out / "checkpoint.pt")
        (self.out / "log.json").write_text(json.dumps(self.log))

    def resume(self) -> None:
        path = self.out / "checkpoint.pt"
        if path.exists():
            state = torch.load(path)
            self.model.load_state_dict(state["model"])
            for optimizer, saved in zip(self.optimizers, state["optimizers"]):
                optimizer.load_state_dict(saved)
            self.step, self.elapsed, self.tokens, self.log = (state[k] for k in ("step", "elapsed", "tokens", "log"))
            torch.set_rng_state(state["random"])

    def one_step(self, rows: np.ndarray, length: int, progress: float) -> dict[str, float]:
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * rate(self.step, progress)
        batch = self.rows.batch(rows, length, np.random.default_rng([SEED, self.step]))
        first, last = self.stage.description_weights
        with rounded_weights(self.model, progress >= ROUND_WEIGHTS_FROM):
            loss, parts = loss_of(self.model, batch, description_weight=first + (last - first) * progress)
            loss.backward()
        parts["norm"] = torch.nn.utils.clip_grad_norm_(self.optimizers[1].param_groups[0]["params"], 1.0).item()
        for optimizer in self.optimizers:
            optimizer.step()
        balance(self.model)
        self.tokens += int(self.rows.lengths[rows].clip(max=length).sum())
        return parts

    def compile(self) -> None:
        """Compiles for every shape of batch, so that the clock of the schedule counts none of it."""
        state = torch.get_rng_state()
        self.model.fuse(True)
        for length, size in BUCKETS.items():
            loss_of(self.model, self.rows.batch(np.arange(size), length), 1.0)[0].backward()
        torch.set_rng_state(state)

    def train(self) -> None:
        self.compile()
        mark = saved = validated = time.process_time()
        recent: list[dict[str, float]] = []
        for epochs, rows, length in batches(self.rows, self.step):
            progress = self.elapsed / self.seconds
            if progress >= 1:
                break
            recent.append(self.one_step(rows, length, progress))
            self.step += 1
            now = time.process_time()
            self.elapsed, mark = self.elapsed + now - mark, now
            if self.step % 20 == 0:
                self.report(epochs, recent)
                recent = []
            if now - saved > CHECKPOINT_SECONDS:
                self.save()
                saved = now
            if now - validated > VALIDATE_SECONDS:
                self.validate()
                validated = now
        self.validate()
        self.save()

    def report(self, epochs: float, recent: list[dict[str, float]]) -> None:
        entry = {"step": self.step, "epochs": round(epochs, 4), "seconds": round(self.elapsed, 1), "tokens": self.tokens,
                 **{k: round(float(np.mean([r[k] for r in recent])), 4) for k in recent[0]}}
        self.log.append(entry)
        loads = [(layer.ffn.load.max() / layer.ffn.load.float().mean()).item() for layer in self.model.layers]
        print(json.dumps(entry), "busiest expert", [round(x, 2) for x in loads], flush=True)

    def validate(self) -> None:
        self.model.fuse(False)
        entry = {"step": self.step, "seconds": round(self.elapsed, 1), "validation": validate(self.model, self.held_out, Run())}
        with rounded_weights(self.model):
            entry["validation_rounded"] = validate(self.model, self.held_out, Run())
        self.model.fuse(True)
        self.log.append(entry)
        print(json.dumps(entry), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("--data", "--out", "--config"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--start", type=pathlib.Path, help="a released model to go on from")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(Config.load(args.config), args.data, args.out, args.minutes, args.start)
    trainer.resume()
    print("parameters", sum(p.numel() for p in trainer.model.parameters()), "batches per epoch", len(epoch(trainer.rows, 0)), flush=True)
    trainer.train()


if __name__ == "__main__":
    main()
