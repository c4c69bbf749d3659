"""Reads what `millrace export` and the jobs write with the tools that the formats are of, and says what they found.

    pip install datasets lm_eval==0.4.13 evalplus swebench
    python exports.py hf EXPORT/hf-messages | lm-eval EVALUATED/MODEL | evalplus EXPORT/evalplus/samples.jsonl | swebench preds.json
"""
import glob
import json
import sys

what, path = sys.argv[1:]
if what == "hf":
    import datasets
    print(datasets.load_dataset(path))
elif what == "lm-eval":
    from datasets import load_dataset
    from lm_eval.utils import make_table
    for results in glob.glob(path + "/results_*.json"):
        with open(results, encoding="utf-8") as file:
            print(make_table(json.load(file)))
    for samples in glob.glob(path + "/samples_*.jsonl"):
        rows = load_dataset("json", data_files=samples)["train"]
        print(rows.num_rows, "samples,", len(rows.column_names), "columns")
elif what == "evalplus":
    from evalplus.data.utils import load_solutions
    read = list(load_solutions(path))
    print(len(read), "samples of", len({one["task_id"] for one in read}), "tasks")
elif what == "swebench":
    from swebench.harness.utils import get_predictions_from_file
    read = get_predictions_from_file(path, "", "")
    print(len(read), "predictions,", sum(bool(one["model_patch"]) for one in read), "with a patch")
