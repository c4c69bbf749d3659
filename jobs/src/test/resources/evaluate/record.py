"""Records what lm-evaluation-harness 0.4.13 makes of the task files beside this script.

A model that is no model (hashes of its prompts) answers, so that every part of the harness runs: templates,
examples, requests, filters, metrics, errors, groups. Written: expected/results.json as the harness writes it, and
its files of samples, whose `arguments` are the prompts and whose `resps` are the answers. Run in this folder:

    pip install lm_eval==0.4.13 datasets && python record.py
"""
import hashlib
import json
import os
import random
import shutil

from lm_eval.api.model import LM
from lm_eval.evaluator import simple_evaluate
from lm_eval.loggers import EvaluationTracker
from lm_eval.tasks import TaskManager


def number(*texts):
    return int.from_bytes(hashlib.sha256("\0".join(texts).encode()).digest()[:4], "big")


class Hashes(LM):
    calls = 0

    def loglikelihood(self, requests):
        return [(-(number(*r.args) % 100000) / 5000 - 0.1, number(*r.args) % 3 == 0) for r in requests]

    def loglikelihood_rolling(self, requests):
        return [-(number(r.args[0]) % 100000) / 500 - 3 for r in requests]

    def generate_until(self, requests):
        texts = []
        for r in requests:
            self.calls += 1
            pick = number(r.args[0], str(self.calls)) % 6
            gold = r.doc["answer"]
            texts.append([gold, " So it is " + gold.split()[-1] + ". ", "#### 7", "no idea", "$1,0 and 5.",
                          "Some steps.\n####  " + gold.split()[-1]][pick])
        return texts


shutil.rmtree("expected", ignore_errors=True)
tracker = EvaluationTracker(output_path="expected")
manager = TaskManager(include_path="tasks", include_defaults=False)
results = simple_evaluate(
    model=Hashes(), tasks=["everything", "lines", "endings", "blanks", "sums_vote"], task_manager=manager,
    evaluation_tracker=tracker, log_samples=True)
samples = results.pop("samples")
tracker.save_results_aggregated(results=results, samples=samples)
for task, lines in samples.items():
    tracker.save_results_samples(task_name=task, samples=lines)
folder = [f for f in os.listdir("expected")][0]
for name in os.listdir("expected/" + folder):
    kind = name.rsplit("_", 1)[0]
    os.replace("expected/" + folder + "/" + name, "expected/" + kind + os.path.splitext(name)[1])
os.rmdir("expected/" + folder)
path = "expected/results.json"
with open(path, encoding="utf-8") as file:
    found = json.load(file)
# about the machine that recorded it, and nothing that is compared
found["pretty_env_info"] = ""
found["git_hash"] = None
with open(path, "w", encoding="utf-8") as file:
    json.dump(found, file, indent=1, ensure_ascii=False)

random.seed(20261122)
cases = []
for seed in (0, 1, 1234, -7, 2**40 + 3):
    for population, count in ((5, 5), (10, 3), (21, 4), (22, 4), (50, 6), (150, 8), (7473, 5), (100000, 40)):
        generator = random.Random(seed)
        cases.append({"seed": seed, "population": population, "count": count,
                      "samples": [generator.sample(range(population), count) for _ in range(3)],
                      "random": generator.random()})
with open("expected/random.json", "w", encoding="utf-8") as file:
    json.dump(cases, file)
