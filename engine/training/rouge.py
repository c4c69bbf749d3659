"""ROUGE-1, -2 and -L F1 as Google's rouge_score computes them with stemming."""

import collections
import functools
import re

from nltk.stem.porter import PorterStemmer


@functools.cache
def stem(word: str) -> str:
    return PorterStemmer().stem(word) if len(word) > 3 else word


def words(text: str) -> list[str]:
    stems = (stem(w) for w in re.sub(r"[^a-z0-9]+", " ", text.lower()).split())
    return [w for w in stems if re.fullmatch(r"[a-z0-9]+", w)]


def f1(matches: int, reference: int, candidate: int) -> float:
    return 2 * matches / (reference + candidate) if matches else 0.0


def ngram_f1(reference: list[str], candidate: list[str], n: int) -> float:
    a, b = (collections.Counter(zip(*(tokens[i:] for i in range(n)))) for tokens in (reference, candidate))
    return f1((a & b).total(), a.total(), b.total())


def longest_common_subsequence(a: list[str], b: list[str]) -> int:
    best = [0] * (len(b) + 1)
    for x in a:
        above = 0
        for j, y in enumerate(b, 1):
            above, best[j] = best[j], above + 1 if x == y else max(best[j], best[j - 1])
    return best[-1]


def scores(reference: str, candidate: str) -> dict[str, float]:
    a, b = words(reference), words(candidate)
    return {"rouge1": ngram_f1(a, b, 1), "rouge2": ngram_f1(a, b, 2),
            "rougeL": f1(longest_common_subsequence(a, b), len(a), len(b))}


def mean_scores(references: list[str], candidates: list[str]) -> dict[str, float]:
    """Means over the pairs, in percent."""
    each = [scores(r, c) for r, c in zip(references, candidates, strict=True)]
    return {k: 100 * sum(s[k] for s in each) / len(each) for k in each[0]}
