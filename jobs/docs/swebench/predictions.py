#!/usr/bin/env python3
"""Predictions that are wrong in a known way, from the gold patches: predictions.py REPOSITORIES FILE.parquet... > FILE.jsonl

They hold lines of other people's programs, so they are made and not kept. Needs pyarrow and git.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

import pyarrow.parquet

NOTHING = """diff --git a/NOTHING.md b/NOTHING.md
new file mode 100644
--- /dev/null
+++ b/NOTHING.md
@@ -0,0 +1 @@
+Solves nothing.
"""

# after the gold patch: file, what is found there, what it becomes; breaks a test that passed before
BREAKS = {
    "sympy__sympy-24443": (
        "sympy/combinatorics/homomorphisms.py",
        r"(def is_isomorphic\(G, H\):\n)",
        r"\1    return not group_isomorphism(G, H, isomorphism=False)\n",
    ),
    "sympy__sympy-24213": ("sympy/physics/units/quantities.py", r"(def is_prefixed\(self\):\n)", r"\1        return False\n"),
    "google__gson-2134": (
        "gson/src/main/java/com/google/gson/internal/bind/util/ISO8601Utils.java",
        r"new GregorianCalendar\(year, month - 1, day\)",
        "new GregorianCalendar(year, month, day)",
    ),
}
UNFITTING = ["sympy__sympy-24066", "sympy__sympy-23950", "google__gson-2479"]
EMPTY = {"sympy__sympy-24102": "", "sympy__sympy-24661": None}
UNTOUCHED = ["sympy__sympy-22714", "sympy__sympy-23824"]
IDLE = ["sympy__sympy-23534", "google__gson-2311"]


def broken(repositories, row):
    name, found, becomes = BREAKS[row["instance_id"]]
    with tempfile.TemporaryDirectory() as tree:

        def git(*arguments, **more):
            return subprocess.run(["git", *arguments], cwd=tree, check=True, capture_output=True, text=True, **more).stdout

        git("init", "-q")
        mirror = os.path.join(repositories, row["repo"].replace("/", "__"))
        objects = next(o for o in (f"{mirror}/objects", f"{mirror}/.git/objects") if os.path.isdir(o))
        with open(f"{tree}/.git/objects/info/alternates", "w") as alternates:
            alternates.write(os.path.realpath(objects) + "\n")
        git("checkout", "-q", "--detach", row["base_commit"])
        git("apply", "-", input=row["patch"])
        with open(f"{tree}/{name}") as file:
            text = file.read()
        changed, times = re.subn(found, becomes, text, count=1)
        assert times == 1, (row["instance_id"], found)
        with open(f"{tree}/{name}", "w") as file:
            file.write(changed)
        git("add", "-A")
        return git("diff", "--cached", "--no-color")


def unfitting(patch):
    """Its context and its removed lines are of no file."""
    lines = [
        line[0] + "not in any file" if line[:1] in (" ", "-") and not line.startswith("--- ") and line != "" else line
        for line in patch.rstrip("\n").split("\n")
    ]
    return "\n".join(lines) + "\n"


def main():
    repositories, files = sys.argv[1], sys.argv[2:]
    rows = {}
    for file in files:
        for row in pyarrow.parquet.read_table(file).to_pylist():
            rows[row["instance_id"]] = row
    patches = {name: broken(repositories, rows[name]) for name in BREAKS}
    patches.update({name: unfitting(rows[name]["patch"]) for name in UNFITTING})
    patches.update(EMPTY)
    patches.update({name: rows[name]["patch"] for name in UNTOUCHED})
    patches.update({name: NOTHING for name in IDLE})
    for name, patch in patches.items():
        print(json.dumps({"instance_id": name, "model_name_or_path": "mixed", "model_patch": patch}))


main()
