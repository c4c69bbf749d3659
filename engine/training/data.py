"""The corpus: Debian package descriptions, each with the one-line synopsis its maintainer wrote.

``python data.py --lists DIR --out DIR`` reads apt's Packages and Translation-en lists, splits the packages of
Debian 12 by source, trains the tokenizer on the training side, adds to that side what other releases have and
Debian 12 has not, and writes

    train.jsonl, val.jsonl, test.jsonl   rows {package, source, section, description, synopsis}
    tokenizer.json                       byte-level BPE with DeepSeek's pre-tokenizer and markers
    train.npz, val.npz                   token ids of every row in the chat encoding
    split.json                           the counts
"""

import argparse
import collections
import glob
import hashlib
import json
import pathlib
import re
import subprocess
from typing import Iterator

import numpy as np

SEED = "synopsis-v4"
SUITE, OTHER_SUITES = "bookworm", ("trixie", "sid", "bullseye")
MIN_BODY_CHARS = 40
HELD_OUT_FAMILIES, TEST_ROWS = 2400, 2000
NEAR_COPY = 0.8
MAX_ROWS_PER_SOURCE = 16
VOCAB_SIZE = 4096
MAX_DESCRIPTION_TOKENS = 124
MAX_SYNOPSIS_TOKENS = 28
OMISSION = " [...] "            # the job's own, where it leaves out the middle of a long text

BOS, EOS, PAD = "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜▁pad▁｜>"
USER, ASSISTANT, THINK, THINK_END = "<｜User｜>", "<｜Assistant｜>", "<think>", "</think>"
MARKERS = [BOS, EOS, PAD, USER, ASSISTANT, THINK, THINK_END, "｜DSML｜", "<｜latest_reminder｜>", "<｜action｜>",
           "<｜query｜>", "<｜authority｜>", "<｜domain｜>", "<｜title｜>", "<｜read_url｜>"]
PLAIN_MARKERS = {THINK, THINK_END, "｜DSML｜"}
SPLIT_RULES = [
    r"\p{N}{1,3}",
    r"[一-龥぀-ゟ゠-ヿ]+",
    r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"""
    "| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
]


def stanzas(path: str) -> Iterator[dict[str, str]]:
    """The stanzas of a Debian control file (lz4 or plain); continuation lines keep their first blank."""
    read = ["lz4cat", path] if path.endswith(".lz4") else ["cat", path]
    text = subprocess.run(read, check=True, capture_output=True).stdout.decode("utf-8")
    for block in text.split("\n\n"):
        fields: dict[str, str] = {}
        key = ""
        for line in block.split("\n"):
            if line[:1] in " \t":
                if key:
                    fields[key] += "\n" + line
            elif ": " in line or line.endswith(":"):
                key, _, value = line.partition(":")
                fields[key] = value.strip()
        if fields:
            yield fields


def unwrap(body: str) -> str:
    """A description body as paragraphs: wrapped lines joined, list items and verbatim lines kept on their own."""
    paragraphs: list[list[str]] = [[]]
    for line in body.split("\n"):
        if line.strip() in (".", ""):
            paragraphs.append([])
        elif line.startswith("  ") or not paragraphs[-1]:
            paragraphs[-1].append(re.sub(r"\s+", " ", line.strip()))
        else:
            paragraphs[-1][-1] += " " + re.sub(r"\s+", " ", line.strip())
    return "\n\n".join("\n".join(p) for p in paragraphs if p)


def read_rows(lists: str, suite: str) -> list[dict[str, str]]:
    """Every package of a release's main that has a description long enough to be summarised."""
    packages = {s["Package"]: s for p in sorted(glob.glob(f"{lists}/*_{suite}_main*Packages*")) for s in stanzas(p)}
    rows = []
    for path in sorted(glob.glob(f"{lists}/*_{suite}_main*Translation-en*")):
        for s in stanzas(path):
            synopsis, _, body = s["Description-en"].partition("\n")
            description = unwrap(body)
            if s["Package"] in packages and len(description) >= MIN_BODY_CHARS and synopsis.strip():
                package = packages.pop(s["Package"])
                source = package.get("Source", s["Package"]).split(" ")[0]
                rows.append({"package": s["Package"], "source": source, "section": package.get("Section", ""),
                             "description": description, "synopsis": re.sub(r"\s+", " ", synopsis.strip())})
    return rows


def rank(text: str) -> str:
    """A seeded pseudo-random sort key, the same on every machine."""
    return hashlib.sha256(f"{SEED}/{text}".encode()).hexdigest()


def letters(text: str) -> str:
    """The text without case, digits and punctuation."""
    return re.sub(r"[^a-z]+", " ", text.lower()).strip()


def families(rows: list[dict[str, str]]) -> list[list[dict[str, str]]]:
    """Groups of rows that must not be parted: same source package, or same body but for digits and punctuation."""
    parent: dict[str, str] = {}

    def find(a: str) -> str:
        while parent.setdefault(a, a) != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        return a

    for row in rows:
        parent[find("body:" + letters(row["description"]))] = find("source:" + row["source"])
    groups = collections.defaultdict(list)
    for row in rows:
        groups[find("source:" + row["source"])].append(row)
    return [groups[k] for k in sorted(groups, key=rank)]


def shingles(text: str) -> set[str]:
    """The runs of five words in a text, digits and punctuation apart."""
    found = letters(text).split()
    return {" ".join(found[i:i + 5]) for i in range(max(1, len(found) - 4))}


class NearCopies:
    """Finds near copies of some rows: descriptions that hold NEAR_COPY or more of the shingles of one of them."""

    def __init__(self, rows: list[dict[str, str]]):
        self.sizes, self.holders = [], collections.defaultdict(list)
        for i, row in enumerate(rows):
            own = shingles(row["description"])
            self.sizes.append(len(own))
            for shingle in own:
                self.holders[shingle].append(i)

    def copied_by(self, other: dict[str, str]) -> list[int]:
        """Which of the rows `other` is a near copy of."""
        held = shingles(other["description"]) & self.holders.keys()
        shared = collections.Counter(i for shingle in held for i in self.holders[shingle])
        return [i for i, count in shared.items() if count >= NEAR_COPY * self.sizes[i]]


def without_near_copies(rows: list[dict[str, str]], of: list[dict[str, str]]) -> list[dict[str, str]]:
    """The rows of which no single description in `of` is a near copy."""
    index = NearCopies(rows)
    copied = {i for other in of for i in index.copied_by(other)}
    return [row for i, row in enumerate(rows) if i not in copied]


def split(rows: list[dict[str, str]]) -> dict[str, list[dict[str, str]]]:
    """Whole families go to one side. Test and val have one row of each of theirs, and none that is nearly a copy of
    a training row (templates such as the plugins of one program, packaged as different sources)."""
    def sample(family: list[dict[str, str]], count: int) -> list[dict[str, str]]:
        return sorted(family, key=lambda r: rank(r["package"]))[:count]

    groups = families(rows)
    train = [r for g in groups[HELD_OUT_FAMILIES:] for r in sample(g, MAX_ROWS_PER_SOURCE)]
    held_out = without_near_copies([sample(g, 1)[0] for g in groups[:HELD_OUT_FAMILIES]], train)
    return {"test": held_out[:TEST_ROWS], "val": held_out[TEST_ROWS:], "train": train}


def additions(others: list[dict[str, str]], rows: list[dict[str, str]], held_out: list[dict[str, str]]) -> list[dict[str, str]]:
    """The rows of other releases that are new by package and by body, and have nothing to do with a held-out one:
    neither its source, nor a source or body of its family, nor a near copy of its description."""
    near = NearCopies(held_out)
    packages, bodies = ({f(r) for r in rows} for f in (lambda r: r["package"], lambda r: letters(r["description"])))
    held = {r["source"] for g in families(rows)[:HELD_OUT_FAMILIES] for r in g}
    added = []
    for row in others:
        body = letters(row["description"])
        if row["package"] not in packages and body not in bodies and row["source"] not in held and not near.copied_by(row):
            packages.add(row["package"])
            bodies.add(body)
            added.append(row)
    return added


def train_tokenizer(rows: list[dict[str, str]], path: str) -> None:
    """Byte-level BPE with DeepSeek's pre-tokenizer, no normalizer, nothing added automatically."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(rule), "isolated") for rule in SPLIT_RULES]
        + [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    markers = [AddedToken(m, special=m not in PLAIN_MARKERS, normalized=False) for m in MARKERS]
    trainer = trainers.BpeTrainer(vocab_size=VOCAB_SIZE, special_tokens=markers, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator((r["description"][:700] + "\n" + r["synopsis"] for r in rows), trainer)
    tokenizer.save(path)
    saved = json.loads(pathlib.Path(path).read_text())
    for token in saved["added_tokens"]:
        token["special"] = token["content"] not in PLAIN_MARKERS
    pathlib.Path(path).write_text(json.dumps(saved, ensure_ascii=False, indent=1) + "\n")


class ChatEncoder:
    """V4's chat encoding of one description, in chat mode: BOS User description Assistant </think>."""

    def __init__(self, tokenizer_path: str):
        from tokenizers import Tokenizer

        self.tokenizer = Tokenizer.from_file(str(tokenizer_path))
        self.bos, self.eos, self.user, self.assistant, self.think_end = (
            self.tokenizer.token_to_id(m) for m in (BOS, EOS, USER, ASSISTANT, THINK_END))

    def text(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def prompt(self, description: str) -> list[int]:
        """The prompt's ids; a description of more than MAX_DESCRIPTION_TOKENS tokens loses its middle."""
        return [self.bos, self.user, *self.shortened(description), self.assistant, self.think_end]

    def shortened(self, text: str) -> list[int]:
        """What the job's `overlong: truncate-middle` makes of a text."""
        all_ids = ids = self.text(text)
        keep = MAX_DESCRIPTION_TOKENS
        while len(ids) > MAX_DESCRIPTION_TOKENS:
            head = (keep + 1) // 2
            ids = self.text(self.tokenizer.decode(all_ids[:head]) + OMISSION + self.tokenizer.decode(all_ids[head - keep:]))
            keep -= len(ids) - MAX_DESCRIPTION_TOKENS
        return ids

    def answer(self, synopsis: str) -> list[int]:
        return self.text(synopsis)[:MAX_SYNOPSIS_TOKENS - 1] + [self.eos]

    def decode(self, ids: list[int]) -> str:
        return self.tokenizer.decode(ids).strip()


def encode(rows: list[dict[str, str]], encoder: ChatEncoder, path: str) -> dict[str, float]:
    """Writes ids (all rows end to end), the start of each row, and where each answer starts in its row."""
    ids, starts, answers = [], [0], []
    for row in rows:
        prompt = encoder.prompt(row["description"])
        ids += prompt + encoder.answer(row["synopsis"])
        starts.append(len(ids))
        answers.append(len(prompt))
    np.savez(path, ids=np.array(ids, "u2"), starts=np.array(starts), answers=np.array(answers))
    lengths = np.diff(starts)
    return {"rows": len(rows), "tokens": len(ids), "mean": float(lengths.mean()), "max": int(lengths.max()),
            "shortened": sum(len(encoder.text(r["description"])) > MAX_DESCRIPTION_TOKENS for r in rows) / len(rows)}


def write_jsonl(rows: list[dict[str, str]], path: pathlib.Path) -> None:
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows))


def read_jsonl(path: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--lists", required=True, help="apt's list directory")
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    out = pathlib.Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    rows = read_rows(args.lists, SUITE)
    sides = split(rows)
    counts: dict[str, object] = {"packages": len(rows), "sources": len({r["source"] for r in rows})}
    train_tokenizer(sides["train"], str(out / "tokenizer.json"))
    others = [r for suite in OTHER_SUITES for r in read_rows(args.lists, suite)]
    added = additions(others, rows, sides["test"] + sides["val"])
    counts["added"] = len(added)
    sides["train"] += added
    for side, members in sides.items():
        write_jsonl(members, out / f"{side}.jsonl")
    encoder = ChatEncoder(str(out / "tokenizer.json"))
    for side, members in sides.items():
        counts[side] = encode(members, encoder, str(out / f"{side}.npz"))
    (out / "split.json").write_text(json.dumps(counts, indent=1) + "\n")
    print(json.dumps(counts, indent=1))


if __name__ == "__main__":
    main()
