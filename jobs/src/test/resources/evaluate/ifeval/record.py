"""Records what lm-evaluation-harness 0.4.13 makes of answers that follow instructions of IFEval or do not.

Written: verdicts.json (every instruction below against every answer below, strict and loose, and NLTK's counts of words,
sentences and words in capitals), data.jsonl with results.json and samples.jsonl (a task as the harness runs it), and
nltk_data/ (parameters of Punkt made up here, since NLTK's own have no licence of their own). `langdetect` is stood in for:
its word changes with its seed, and the language of each answer here is known. Run in this folder:

    pip install lm_eval==0.4.13 datasets nltk==3.10.3 immutabledict && python record.py
"""
import json
import os
import random
import shutil
import sys
import types

import nltk
from nltk.tokenize.punkt import PunktParameters, PunktTokenizer, save_punkt_params

known = {"language": "en"}


class LangDetectException(Exception):
    pass


def detect(text):
    if not any(c.isalpha() for c in text):
        raise LangDetectException("No features in text.")
    return known["language"]


sys.modules["langdetect"] = types.SimpleNamespace(detect=detect, LangDetectException=LangDetectException)

shutil.rmtree("nltk_data", ignore_errors=True)
folder = "nltk_data/tokenizers/punkt_tab/english"
os.makedirs(folder)
parameters = PunktParameters()
parameters.abbrev_types = {"dr", "mr", "e.g", "i.e", "u.s", "etc", "vs", "p.m", "co"}
parameters.sent_starters = {"he", "however", "when"}
parameters.collocations = {("j", "bach"), ("##number##", "may"), ("etc", "however")}
for word, context in {"the": 2 + 32 + 64, "he": 2 + 64, "then": 2 + 32, "smith": 4, "bach": 4, "however": 2 + 32,
                      "new": 2 + 4 + 32, "fox": 32, "when": 2 + 32, "i": 4, "a": 2 + 32, "cold": 16 + 32}.items():
    parameters.ortho_context[word] = context
save_punkt_params(parameters, dir=folder)
nltk.data.path.insert(0, os.path.abspath("nltk_data"))

from lm_eval.api.model import LM  # noqa: E402
from lm_eval.evaluator import simple_evaluate  # noqa: E402
from lm_eval.tasks.ifeval import utils  # noqa: E402

INSTRUCTIONS = [
    ("keywords:existence", {"keywords": ["fox", "Owl"]}),
    ("keywords:existence", {"keywords": ["dr.", "smith"]}),
    ("keywords:frequency", {"keyword": "the", "frequency": 3, "relation": "at least"}),
    ("keywords:frequency", {"keyword": " fox ", "frequency": 2, "relation": "less than"}),
    ("keywords:forbidden_words", {"forbidden_words": ["owl", "den", "owl"]}),
    ("keywords:forbidden_words", {"forbidden_words": ["point", "straße"]}),
    ("keywords:letter_frequency", {"letter": "e", "let_frequency": 12, "let_relation": "at least"}),
    ("keywords:letter_frequency", {"letter": "O", "let_frequency": 5, "let_relation": "less than"}),
    ("length_constraints:number_sentences", {"num_sentences": 3, "relation": "at least"}),
    ("length_constraints:number_sentences", {"num_sentences": 2, "relation": "less than"}),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 1}),
    ("length_constraints:number_words", {"num_words": 20, "relation": "at least"}),
    ("length_constraints:number_words", {"num_words": 12, "relation": "less than"}),
    ("length_constraints:nth_paragraph_first_word", {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "Then"}),
    ("length_constraints:nth_paragraph_first_word", {"num_paragraphs": 3, "nth_paragraph": 1, "first_word": "the"}),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}),
    ("detectable_content:postscript", {"postscript_marker": "Note:"}),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}),
    ("detectable_format:number_bullet_lists", {"num_bullets": 3}),
    ("detectable_format:constrained_response", {}),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 1}),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 3}),
    ("detectable_format:multiple_sections", {"section_spliter": "SECTION", "num_sections": 2}),
    ("detectable_format:multiple_sections", {"section_spliter": "Day ", "num_sections": 3}),
    ("detectable_format:json_format", {}),
    ("detectable_format:title", {}),
    ("combination:two_responses", {}),
    ("combination:repeat_prompt", {"prompt_to_repeat": " Tell me of the fox. "}),
    ("startend:end_checker", {"end_phrase": " That is all. "}),
    ("startend:quotation", {}),
    ("change_case:capital_word_frequency", {"capital_frequency": 4, "capital_relation": "at least"}),
    ("change_case:capital_word_frequency", {"capital_frequency": 2, "capital_relation": "less than"}),
    ("change_case:english_capital", {}),
    ("change_case:english_lowercase", {}),
    ("punctuation:no_comma", {}),
    ("language:response_language", {"language": "en"}),
    ("language:response_language", {"language": "de"}),
    ("language:response_language", {"language": "hi"}),
    ("language:response_language", {"language": "fa"}),
    ("language:response_language", {"language": "pa"}),
]

FOX = "The fox lost the way home. It asked the owl for help, and the owl knew a den nearby."
ANSWERS = [
    ("en", ""),
    ("en", "  \n\n "),
    ("en", FOX),
    ("en", FOX.upper()),
    ("en", FOX.lower()),
    ("en", "\"" + FOX + "\""),
    ("en", "Here is the text:\n\"" + FOX + "\""),
    ("en", "Sure!\n" + FOX.lower() + "\nHOPE THIS HELPS"),
    ("en", FOX + " That is all."),
    ("en", FOX + "\n\n\"That is all.\""),
    ("en", "Tell me of the fox.\n\n" + FOX),
    ("en", "> Tell me of the FOX.\n" + FOX),
    ("en", "TELL ME OF THE FOX. THEN WE'LL SEE; I'M SURE YOU CANNOT AND DON'T."),
    ("en", "Dr. Smith met Mr. Fox at 5 p.m. Then he left. He saw J. Bach, e.g. The Fugue, etc. However it was 3. May."),
    ("en", "Wait... what? No!!! Yes. (It was.) \"Really?\" he said. “Yes.” Then: nothing"),
    ("en", "It costs $3.50, i.e. 1.000 pounds. Co. Then U.S. New York. a cold day. Cold. . . . gone"),
    ("en", "one sentence without an end"),
    ("en", "* first point\n* second point\n*** not one\n** nor this"),
    ("en", "Points:\n - one\n * two\n-three\n\n*italic* and **bold** text"),
    ("en", "*one fox lost the way* **two of the owls** *three dens* ** ** * *\n*it was broken\nacross the road*"),
    ("en", "**a** b **c** ***d*** ****"),
    ("en", "<<The Fox>>\nA tale.\n***\nThen it ends."),
    ("en", "<< >> and <<<>>>\n***\n\n***\nThen"),
    ("en", "***\nOne.\n***\nTwo.\n***"),
    ("en", "One.***Two.*** ***Three."),
    ("en", "First answer.\n******\nSecond answer."),
    ("en", "******\nSame.\n******\nSame.\n******"),
    ("en", "A\n******\n\n******\nB"),
    ("en", "One paragraph.\n\nThen another one."),
    ("en", "One paragraph.\n\n'Then,' it said\n\n"),
    ("en", "\"The start\n\nThen, the middle\n\n\n\nthe end"),
    ("en", "'the\n\nTHEN\n\nThe end."),
    ("en", "Dear [name],\nmeet me at [place].\n\nP.S. Bring [thing]"),
    ("en", "Dear [name\nplace].\np. p. s: no\nNOTE: yes"),
    ("en", "p.s nothing P.P.S. something"),
    ("en", "SECTION 1\nText\nSECTION2 more SECTION  3"),
    ("en", "Day 1: walk. Day2: rest.\nDay\n3: home. Section 1"),
    ("en", "{\"a\": [1, 2.5e3, NaN, \"x\\u00e9\"]}"),
    ("en", "```json\n{\"a\": {\"b\": null}}\n```"),
    ("en", "Here:\n```JSON\n[1, 2]\n```"),
    ("en", "```\n{'a': 1}\n```"),
    ("en", "[1, 2] [3]"),
    ("en", "{\"a\": 01}"),
    ("en", "42"),
    ("en", "12 34 !!"),
    ("en", "My answer is yes."),
    ("en", "*My answer is maybe.* I think"),
    ("en", "my answer is no."),
    ("en", "NASA, ESA and JAXA: THREE-PART A1 b2 C3PO. \"QUOTE\" 'TIS O'NEIL'S ROCK'N'ROLL -- GOTTA GO:1,2 X:Y A,B,,C D'YE"),
    ("en", "I'll say I'VE seen DOGS' and CATS'. It’s NOT “HERE”; GIMME MORE'N WANNA! A.B.C. U.S. (ETC.) É ÄÖ ßS 1ST"),
    ("de", "Der Fuchs hat den Weg nach Hause verloren. Er bittet die Eule um Hilfe; die Eule kennt eine Höhle an der Straße."),
    ("de", "DER FUCHS HAT DEN WEG NACH HAUSE VERLOREN UND BITTET DIE EULE UM HILFE, DENN SIE KENNT DIE STRASSE."),
    ("hi", "लोमड़ी घर का रास्ता भूल गई। उसने उल्लू से मदद माँगी, और उल्लू पास की एक गुफा जानता था। फिर वे दोनों साथ चले।"),
    ("fa", "روباه راه خانه را گم کرد. او از جغد کمک خواست، و جغد لانه‌ای در نزدیکی می‌شناخت. سپس با هم رفتند."),
    ("pa", "ਲੂੰਬੜੀ ਘਰ ਦਾ ਰਸਤਾ ਭੁੱਲ ਗਈ। ਉਸਨੇ ਉੱਲੂ ਤੋਂ ਮਦਦ ਮੰਗੀ, ਅਤੇ ਉੱਲੂ ਨੇੜੇ ਦੀ ਇੱਕ ਗੁਫ਼ਾ ਜਾਣਦਾ ਸੀ।"),
    ("ru", "Лиса потеряла дорогу домой. Она попросила сову о помощи, и сова знала нору неподалёку. Потом они пошли вместе."),
    ("ko", "여우는 집으로 가는 길을 잃었다. 여우는 부엉이에게 도움을 청했고, 부엉이는 가까운 굴을 알고 있었다."),
    ("vi", "Con cáo bị lạc đường về nhà. Nó nhờ con cú giúp đỡ, và con cú biết một cái hang gần đó. Sau đó chúng cùng đi."),
]
# words of the answers and signs, thrown together, for the counts alone
random.seed(6)
PIECES = sorted({word for _, text in ANSWERS for word in text.split()}) + [
    ".", "...", "..", "!", "?", ". . .", "\n", "\n\n", "'", "\"", "”", "--", ",", ":", "5.", "J.", "etc.", "I'M", "CAN'T"]
SOUP = ["".join(random.choice(PIECES) + random.choice([" ", " ", " ", "", "\n"]) for _ in range(25)) for _ in range(150)]


def counts(text):
    return {"text": text, "sentences": PunktTokenizer("english").tokenize(text),
            "words": utils.instructions_registry.instructions.instructions_util.count_words(text),
            "capitals": sum(word.isupper() for word in nltk.word_tokenize(text))}


def document(key, instructions):
    return {"key": key, "prompt": "Tell me of the fox.", "instruction_id_list": [name for name, _ in instructions],
            "kwargs": [kwargs for _, kwargs in instructions]}


everything = document(0, INSTRUCTIONS)
answers = []
for language, text in ANSWERS:
    known["language"] = language
    verdicts = utils.process_results(everything, [text])
    answers.append({"text": text, **{kind: "".join("ny"[followed] for followed in verdicts[f"inst_level_{kind}_acc"])
                                     for kind in ("strict", "loose")}})
with open("verdicts.json", "w", encoding="utf-8") as file:
    json.dump({"instruction_id_list": everything["instruction_id_list"], "kwargs": everything["kwargs"],
               "answers": answers, "counts": [counts(text) for text in [t for _, t in ANSWERS] + SOUP]},
              file, indent=1, ensure_ascii=False)

ASKED = [document(key, [INSTRUCTIONS[at] for at in places])
         for key, places in enumerate([(0, 12), (4,), (36, 37), (27,), (32, 2, 31), (20,)])]
SAID = [FOX, FOX, "Sure!\n" + FOX.lower(), "```json\n[1]\n```", "\"The fox, the owl, the den. That is all.\"", "- one"]
with open("data.jsonl", "w", encoding="utf-8") as file:
    file.writelines(json.dumps(one) + "\n" for one in ASKED)


class Says(LM):
    def loglikelihood(self, requests):
        raise NotImplementedError

    loglikelihood_rolling = loglikelihood

    def generate_until(self, requests):
        return [SAID[request.doc["key"]] for request in requests]


known["language"] = "en"
accuracies = [("prompt_level_strict_acc", "mean"), ("inst_level_strict_acc", utils.agg_inst_level_acc),
              ("prompt_level_loose_acc", "mean"), ("inst_level_loose_acc", utils.agg_inst_level_acc)]
task = {"task": "instructions", "dataset_path": "json", "dataset_kwargs": {"data_files": {"train": "data.jsonl"}},
        "output_type": "generate_until", "test_split": "train", "num_fewshot": 0, "doc_to_text": "prompt",
        "doc_to_target": 0, "generation_kwargs": {"until": [], "do_sample": False, "temperature": 0.0, "max_gen_toks": 1280},
        "process_results": utils.process_results, "metadata": {"version": 4.0},
        "metric_list": [{"metric": metric, "aggregation": how, "higher_is_better": True} for metric, how in accuracies]}
results = simple_evaluate(model=Says(), tasks=[task], log_samples=True)
with open("results.json", "w", encoding="utf-8") as file:
    json.dump(results["results"]["instructions"], file, indent=1)
kept = ["doc_id", "resps", "doc_hash", "prompt_hash", "target_hash"] + [metric for metric, _ in accuracies]
with open("samples.jsonl", "w", encoding="utf-8") as file:
    file.writelines(json.dumps({key: sample[key] for key in kept}) + "\n" for sample in results["samples"]["instructions"])
