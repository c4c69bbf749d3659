"""Writes summary-cases.json: ROUGE of several references and ROUGE-Lsum by Google's own code, chrF by sacreBLEU.

python summary_cases.py GOOGLE_RESEARCH > summary-cases.json

GOOGLE_RESEARCH holds the package `rouge` of google-research/google-research at 0c1bbe5 (stemmer on); the committed
values came from a copy without the imports of `six`.
Needs nltk and sacrebleu. All texts are made here, the longer ones of the words below with a fixed seed.
"""

import json
import random
import sys

sys.path.insert(0, sys.argv[1])
from rouge import rouge_scorer  # noqa: E402
from sacrebleu.metrics import CHRF  # noqa: E402

TYPES = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
WORDS = ("the mill stands where a river leaves hills wheel of oak turns its shaft stones grind grain into flour before"
         " noon miller sells bread running runs ran happily studies studied 1834 sacks GPU-bound naïve e-mail").split()

HAND = [
    (["the cat sat on the mat"], "the cat sat on the mat"),
    (["the cat sat on the mat"], "a dog lay under a rug"),
    (["The cat sat.\nThe dog ran."], "The dog ran.\nThe cat sat."),
    (["The cat sat. The dog ran."], "The dog ran. The cat sat."),
    (["police killed the gunman\nthe gunman was armed"], "police kill the gunman\nthe armed gunman was killed"),
    (["a b c d e\na b c"], "a c\nb d e\na a a"),
    (["w1 w2 w3 w4 w5"], "w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5"),
    (["one two three", "four five six", "one five three"], "one five six"),
    (["short", "a much longer reference that says the same in many words"], "short words"),
    (["running runners run"], "run running runner"),
    (["这是一个总结。", "这是另一个"], "这是一个很好的总结。"),
    (["Die Mühle steht am Fluß."], "Die Muehle steht am Fluss"),
    (["emoji 😀 here", "no emoji"], "an emoji 😀"),
    (["tab\tand nbsp\u00a0and\u2003em space\u0085nel"], "tab and nbsp and em space nel"),
    (["x"], "x"),
    (["xy"], "yx"),
    (["abc"], "abcd"),
    (["abcdefgh"], "ab"),
    ([""], "something"),
    (["something"], ""),
    (["\n\nfirst\n\nsecond\n"], "first\n\n\nsecond"),
    (["UPPER lower"], "upper LOWER"),
    (["...!!!"], "???"),
]


def made(rng):
    def text():
        sentences = []
        for _ in range(rng.randint(1, 5)):
            sentences.append(" ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 12))).capitalize() + ".")
        return rng.choice(["\n", " ", "\n"]).join(sentences)

    return [text() for _ in range(rng.randint(1, 4))], text()


def main():
    rng = random.Random(20261122)
    scorer = rouge_scorer.RougeScorer(TYPES, use_stemmer=True)
    chrf = CHRF()
    cases = []
    for references, prediction in HAND + [made(rng) for _ in range(200)]:
        rouge = [scorer.score(reference, prediction) for reference in references]
        best = [max(score[name].fmeasure for score in rouge) for name in TYPES]
        cases.append({
            "references": references,
            "prediction": prediction,
            "rouge": best,
            "chrf": chrf.sentence_score(prediction, references).score,
        })
    json.dump({"chrf": str(chrf.get_signature()) if cases else "", "cases": cases}, sys.stdout, indent=1)
    print()


main()
