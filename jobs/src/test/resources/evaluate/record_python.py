"""Records what Jinja2 and Python's `re`, `repr` and `json` make of cases, as the harness uses them.

Written: expected/templates.json, expected/regexes.json, expected/values.json. Run in this folder with Jinja2 3.1.
"""
import json
import re

from jinja2 import BaseLoader, Environment, StrictUndefined

env = Environment(loader=BaseLoader, undefined=StrictUndefined, keep_trailing_newline=True)
env.filters["regex_replace"] = lambda string, pattern, repl, count=0: re.sub(pattern, repl, string, count=count)
doc = {
    "answer": "a b #### 18 ", "choices": {"text": ["it's", 'b"c', "x"], "label": ["A", "B", "C"]}, "key": "B",
    "n": 3, "f": 1e-5, "q": "  Hi there?  ", "flag": True, "nothing": None, "empty": [], "words": "one two  three",
    "rows": [{"name": "ann", "age": 7}, {"name": "bob", "age": 12}], "brace": "{{n}}", "größe": "ü", "d": {"x": 1},
}
templates = [
    "{{answer.split('### ')[-1].rstrip()}}", "{{choices.label.index(key)}}", "{{choices.text}}", "{{q.strip()}}|",
    "{{flag}} {{f}} {{nothing}} {{empty}} {{d}}", "{{choices.text|join(', ')}}",
    "{% for c in choices.text %}{{loop.index}}. {{c}}\n{% endfor %}", "{{ 'ABC'[n-1] }}", "{{ q[:-1] }}|{{q[2:4]}}|{{q[::-1]}}",
    "{% set x = 'a' %}{{x + q + x}}", "{{ ['a','b'] + choices.text }}", "{{ (n+1)/2 }}|{{ n//2 }}|{{ n % 2}}|{{-n // 2}}|{{2**n}}",
    "{{ 'yes' if n == 3 else 'no' }}", "{{choices['label'][1]}}", "{{q|trim|length}}",
    "{{q.lower().replace('h','j').startswith(' ')}}", "{{ ['A','B','C'][n-2:] }}", "{{ q is defined and n > 2 }}",
    "{{ answer.split(' ')|list }}", "{{ {'a':1, 'b':[1,2.0]} }}", "{{ brace }}", "{{choices.text[0][0]}}",
    "{{ words.split() }}{{words.split(' ')}}{{words.split(None, 1)}}", "{{ choices.text | map('length') | list }}",
    "a\n{%- if flag %}\n b{% endif -%}\n c\n", "{# no #}x{#- no -#} y", "{% raw %}{{n}}{% endraw %}",
    "{% if n < 2 %}a{% elif n < 4 %}b{% else %}c{% endif %}", "{% for k, v in d.items() %}{{k}}={{v}};{% endfor %}",
    "{% for r in rows if r.age > 10 %}{{r.name}}{% else %}none{% endfor %}", "{{ rows|map(attribute='name')|join('/') }}",
    "{{ missing is defined }}{{ missing|default('x') }}", "{{ 'a' in key or 'B' in key }}{{ 'z' not in choices.label }}",
    "{{ 'a' ~ n ~ f }}", "{{ n is string }} {{ n is number }} {{ nothing is none }} {{ n is not string }}", "{{größe}}",
    "{{ q|upper }}|{{ q|capitalize }}|{{ words|title }}", "{{ '7'|int + 1 }} {{ 'x'|int }} {{ '2.5'|float }} {{ n|string + 'x' }}",
    "{{ range(3)|list }} {{ range(1, 9, 3)|list }}", "{{ choices.text|first }}{{ choices.text|last }}",
    "{{ [3, 1, 2]|sort }} {{ [3, 1, 2]|max }} {{ [1, 2]|sum }}", "{{ \"it's\" 'and' }} {{ 'a\\nb' }}",
    "{{ words|regex_replace('[aeiou]+', '*') }}", "{{ words|replace('two', '2') }}", "{{ 1.0 }} {{ 1e20 }} {{ 100000.5 }} {{ 0.1 + 0.2 }}",
    "{{ [1, 'a', None, True] == [1, 'a', None, True] }} {{ 1 == 1.0 }} {{ 'a' < 'b' < 'c' }}", "{{ not flag or n }}",
    "{{ q.strip(' ?') }}{{ words.find('two') }}{{ words.count('o') }}{{ 'a-b-c'.rsplit('-', 1) }}", "{{ choices.text|length > 2 and choices.text[-1] }}",
    "{% set letters = ['A', 'B'] %}{% for l in letters %}({{l}}){% if not loop.last %} {% endif %}{% endfor %}",
    "{{ d.get('x') }}{{ d.get('y', 5) }}{{ d.keys()|list }}", "{{ '%' }}{{ ',' }}{{ '}}' }}", "{{ (1, 2)|list }}{{ [] or 'e' }}",
    "line\n", "{{ n|tojson }}{{ [1, 'ü']|length }}", "{{ n if n > 5 else q|trim if flag else 0 }}",
    "{{ choices.missing }}", "{{ nope }}", "{{ choices.text[9] }}", "{{ choices.label.index('Z') }}", "{% if %}", "{{ n + 'a' }}", "{{ n",
]
out = []
for template in templates:
    try:
        out.append({"template": template, "text": env.from_string(template).render(**doc)})
    except Exception as e:
        out.append({"template": template, "error": type(e).__name__})
with open("expected/templates.json", "w", encoding="utf-8") as file:
    json.dump({"doc": doc, "cases": out}, file, ensure_ascii=False, indent=1)

regexes = [
    (r"#### (\-?[0-9\.\,]+)", "x #### 1,234.5. #### -7"), (r"(-?[$0-9.,]{2,})|(-?[0-9]+)", "it is $45, or 7 or -12."),
    (r"(?s).*#### ", "a\nb #### c"), (r"\.$", "end.\n"), (r"^a.c$", "a\rc"), (r"\d+", "٣ 3 ３"), (r"\w+", "naïve größe"),
    (r"[]a[]+", "x]a[[b"), (r"[^]]+", "ab]c"), (r"(?P<n>a)(?P=n)", "aab"), (r"[a&&b]+", "a&b"), (r"a\Z", "ba"), (r"\s+", "a\u00a0 b\x85c"),
    (r"(?i)the answer is \(?([A-Z])\)?", "The Answer is (B). the answer is c"), (r"x*", "axb"), (r"(a)|b", "ab"), (r"[\[\]]", "[x]"),
    (r"\\boxed\{(.*?)\}", r"so \boxed{12} and \boxed{x}"), (r".", "a\u2028b"),
]
out = [{"regex": r, "text": t, "all": [list(m) if isinstance(m, tuple) else [m] for m in re.findall(r, t)],
        "removed": re.sub(r, "", t)} for r, t in regexes]
with open("expected/regexes.json", "w", encoding="utf-8") as file:
    json.dump(out, file, ensure_ascii=False, indent=1)

values = [None, True, 0, -5, 1.0, 1e16, 1e-5, 123456789.125, 0.0001, 1e22, -0.0, "it's", 'say "x"', "both ' and \"", "a\nb\t\\",
          "ü 日本 \u00a0 \u200b \x07 \U0001f600", [], [1, [2.5, "x"], None], {}, {"a": {"b": [True]}, "c": "é"}]
out = [{"value": v, "repr": repr(v), "json": json.dumps(v, ensure_ascii=False),
        "pretty": json.dumps(v, ensure_ascii=False, indent=2)} for v in values]
with open("expected/values.json", "w", encoding="utf-8") as file:
    json.dump(out, file, ensure_ascii=False, indent=1)
