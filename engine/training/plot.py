"""Draws the loss curve of a run: ``python plot.py --run DIR --out loss-curve.png``."""

import argparse
import json
import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--run", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    log = json.loads((args.run / "log.json").read_text())
    steps, held_out = ([e for e in log if key in e] for key in ("synopsis", "validation"))
    figure, axes = plt.subplots(figsize=(8, 4.5), dpi=110)
    axes.plot([e["step"] for e in steps], [e["synopsis"] for e in steps], label="synopsis, training batches", linewidth=1)
    axes.plot([e["step"] for e in steps], [e["description"] for e in steps], label="description, training batches", linewidth=1)
    axes.plot([e["step"] for e in held_out], [e["validation"] for e in held_out], "ko-", label="synopsis, held out", markersize=4)
    axes.plot([e["step"] for e in held_out], [e["validation_rounded"] for e in held_out], "rx", label="synopsis, held out, FP8/FP4 weights")
    axes.set(xlabel="step", ylabel="cross-entropy per token", title="synopsis-v4")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(args.out)


if __name__ == "__main__":
    main()
