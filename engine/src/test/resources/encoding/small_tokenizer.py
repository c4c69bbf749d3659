# Trains the small tokenizer of the tests and writes its golden ids. Needs: pip install tokenizers==0.23.2
import json, random, sys
from tokenizers import Tokenizer, Regex, models, pre_tokenizers, decoders, trainers
P = pre_tokenizers
tok = Tokenizer(models.BPE())
tok.pre_tokenizer = P.Sequence([
    P.Split(Regex(r"\p{N}{1,3}"), "isolated"),
    P.Split(Regex("[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"), "isolated"),
    P.Split(Regex("[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"), "isolated"),
    P.ByteLevel(add_prefix_space=False, use_regex=False)])
tok.decoder = decoders.ByteLevel(add_prefix_space=True, use_regex=True)
first = ["<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜▁pad▁｜>"]
trainer = trainers.BpeTrainer(vocab_size=600, special_tokens=first, initial_alphabet=P.ByteLevel.alphabet(), show_progress=False)
tok.train_from_iterator(open(sys.argv[1], encoding="utf-8").read().splitlines(keepends=True), trainer)
t = json.loads(tok.to_str())
later = ["<｜User｜>", "<｜Assistant｜>", "<think>", "</think>", "｜DSML｜", "<｜latest_reminder｜>", "<｜action｜>", "<｜query｜>",
         "<｜authority｜>", "<｜domain｜>", "<｜title｜>", "<｜read_url｜>"]
for i, c in enumerate(later):
    t["added_tokens"].append(dict(id=len(t["model"]["vocab"]) + i, content=c, single_word=False, lstrip=False,
                                  rstrip=False, normalized=True, special=False))
open(sys.argv[2], "w", encoding="utf-8").write(json.dumps(t, ensure_ascii=False, separators=(",", ":")) + "\n")
full = Tokenizer.from_file(sys.argv[2])
plain = dict(t); plain["added_tokens"] = []
plain = Tokenizer.from_str(json.dumps(plain))
texts = ["", " ", "a", "Hello! 毕老师！1 + 1 = 2 ĠÑĤÐ²ÑĬÑĢ", "<｜User｜>你好<｜Assistant｜><think>推理</think>答案<｜end▁of▁sentence｜>",
 "<｜User｜", "<<think>>", "<think", "｜DSML｜｜DSML｜", "a<｜begin▁of▁sentence｜>b", "</think></think>\n\n</think>",
 "1234567890", "3.14159e-10", "١٢٣٤", "½²Ⅷ①", "a1b22c333d4444", "1,234,567.89", "don't I'LL we've 'tis 'ſ",
 "foo_bar.baz(qux)[0]->x != y && z || !w;", "\tif (a)\r\n\t\treturn b;\r\n", "\n\n\n", "\r\r\n", "a\n\n  b", "a  \n  b", "   a", "a   ",
 " \u00a0\u3000\u2003x", "\u0085\u2028\u2029y", "\u200b\ufeff\u180ez", "x\u001c\u001d\u001e\u001fy", "\u0000\u0001\u007f", "é é e\u0301\u0301\u0301",
 "नमस्ते दुनिया", "สวัสดีชาวโลก", "שָׁלוֹם עוֹלָם", "مَرْحَبًا بِالْعَالَم", "안녕하세요 한국어 ㄱㄴ 각", "ひらがなカタカナ漢字かな交じり文ー、。", "龦龥一丁㐀𠀀",
 "👨‍👩‍👧‍👦🇩🇪🏳️‍🌈👍🏽", "𝐀𝟙𐐀𞤀", "€$£¥₿+<=>^`|~", "!a #b %c &d *e @f", "“quoted” — dash… ‘x’", "http://example.com/a?b=c&d=%20#e", "\ue000\uf8ff\U000f0000",
 "ABCdefGHI", " leading", "trailing ", "a\u0300\u0301\u0302b", "\u0300\u0301", "x" * 300, "ab" * 200, " " * 100 + "x", "。" * 50, "the rabbit" * 30,
 "\ufffd", "\U0010ffff", "Alice was beginning to get very tired", "学而时习之，不亦说乎？", "Все счастливые семьи"]
cases = [dict(text=x, plain=plain.encode(x, add_special_tokens=False).ids, control=full.encode(x, add_special_tokens=False).ids) for x in texts]
# characters cut in the middle and random bytes: how malformed UTF-8 comes out
ids = [plain.encode(x, add_special_tokens=False).ids for x in ["𠀀é", "👍🏽", "€", "龦"]]
broken = [i[a:b] for i in ids for a in range(len(i)) for b in range(a + 1, len(i) + 1)]
printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
others = [b for b in range(256) if b not in printable]
char = {b: chr(b) if b in printable else chr(256 + others.index(b)) for b in range(256)}
edges = [0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff, 0x41, 0x9f, 0xa0, 0x8f, 0x90]
edges = [t["model"]["vocab"][char[b]] for b in edges]
R = random.Random(7)
broken += [[R.choice(edges) for _ in range(R.randrange(1, 7))] for _ in range(150)]
decoded = [dict(ids=b, text=full.decode(b, skip_special_tokens=False)) for b in broken]
json.dump(dict(cases=cases, decoded=decoded), open(sys.argv[3], "w", encoding="utf-8"), ensure_ascii=True, separators=(",", ":"))
