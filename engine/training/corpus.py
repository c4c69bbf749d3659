"""Writes the bundled corpus: ``python corpus.py --data DIR --out debian-synopsis-test.parquet``."""

import argparse
import pathlib

import pyarrow
import pyarrow.parquet

from data import read_jsonl

COLUMNS = ("package", "source", "section", "description", "synopsis")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    rows = read_jsonl(args.data / "test.jsonl")
    schema = pyarrow.schema([(name, pyarrow.string()) for name in COLUMNS])
    table = pyarrow.Table.from_pylist([{name: row[name] for name in COLUMNS} for row in rows], schema)
    pyarrow.parquet.write_table(table, args.out, compression="zstd")


if __name__ == "__main__":
    main()
