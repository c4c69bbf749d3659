"""Records what the official harness makes of logs: python record.py CLONE_OF_SWE_BENCH > official.json

Run with SWE-bench 5.0.1 (commit 7a21e05772954cc81471ae19d56f436cecf43c54); the logs are our own. Modules that it
imports and that nothing here needs are left empty.
"""

import importlib
import json
import os
import sys
import tempfile
import types


class Anything(types.ModuleType):
    __path__ = []

    def __getattr__(self, name):
        return object


class Empty:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("unidiff", "docker", "datasets", "dotenv", "git", "requests", "tqdm", "modal"):
            return importlib.machinery.ModuleSpec(name, self)
        return None

    def create_module(self, spec):
        return Anything(spec.name)

    def exec_module(self, module):
        pass


# the parsers print warnings
out, sys.stdout = sys.stdout, sys.stderr
sys.meta_path.append(Empty())
for package in ("swebench", "swebench.harness", "swebench.image_builder"):
    module = types.ModuleType(package)
    module.__path__ = [os.path.join(sys.argv[1], *package.split("."))]
    sys.modules[package] = module

grading = importlib.import_module("swebench.harness.grading")
infra = importlib.import_module("swebench.harness.infra_failure")
Spec = importlib.import_module("swebench.types").TestSpec

PYTEST = """collected 6 items
PASSED tests/test_a.py::test_one
PASSED tests/test_a.py::test_two[/home/me/data/x.txt]
PASSED tests/test_a.py::test_url[//host/x]
FAILED tests/test_a.py::test_three - AssertionError: no - not this
ERROR tests/test_b.py
SKIPPED [2] tests/test_c.py:7: needs a network
SKIPPED tests/test_c.py::test_named
XFAIL tests/test_c.py::test_expected - a reason
PASSED
PASSED [100%]
FAILED tests/test_a.py::test_one - later says otherwise
===== 2 failed, 3 passed =====
"""
PYTEST_V2 = """tests/test_a.py::test_old PASSED
tests/test_a.py::test_old spaced FAILED
\x1b[32mPASSED\x1b[0m tests/test_a.py::\x1b[1mtest_colour\x1b[0m
FAILED tests/test_a.py::test_three[a - b] - boom
PASSED tests/test_a.py::test with spaces
SKIPPED [1] x.py:3: why
something that ends with ERROR
"""
SEABORN = """tests/test_a.py::test_one PASSED [ 10%]
FAILED tests/test_a.py::test_two - x
PASSED tests/test_a.py::test_three
a line with PASSED in it
"""
SYMPY = """test process starts
x/tests/test_a.py[5]
test_one ok
test_two F
test_three E
test_slow s
test_tail                                                             ok
                                                                        [FAIL]
________________________________________________________________________________
_______________________ x/tests/test_a.py:test_two ________________________
Traceback (most recent call last):
AssertionError
=== tests finished: 2 passed, 1 failed ===
"""
DJANGO = """test_one (app.tests.A) ... ok
test_two (app.tests.A)
A sentence about it. ... ok
test_three (app.tests.A) ... FAIL
test_four (app.tests.A) ... ERROR
test_five (app.tests.A) ... skipped 'no database'
test_six (app.tests.A) ... something printed
ok
test_seven (app.tests.A) ... Internal Server Error: /x/
ok
test_eight (app.tests.A) ... System check identified no issues (0 silenced)
ok
FAIL: test_three (app.tests.A)
ERROR: test_four (app.tests.A)
"""
MAVEN = """+ mvnd test -B -T 1C -pl gson -Dtest=a.ATest#one
[INFO] BUILD SUCCESS
+ mvnd test -B -T 1C -pl gson -Dtest=a.ATest#two
+ mvnd test -B -T 1C -pl gson -Dtest=a.ATest#three
[INFO] BUILD FAILURE
[INFO] BUILD SUCCESS
[INFO] BUILD SUCCESS
+ mvnd test -B -T 1C -pl gson -Dtest=a.ATest#four
+ mvnd test -B -T 1C -pl gson -Dtest=a.ATest#five
"""
ANT = """    [junit] [PASS] one(a.ATest)
    [junit] [FAIL] two(a.ATest)
    [junit] [ERR] three(a.ATest)
    [junit] Tests run: 3
"""
GRADLE = """> Task :test
a.ATest > one PASSED
a.ATest > two() FAILED
    java.lang.AssertionError at ATest.java:7
a.ATest > three
WARNING: something
PASSED
> b.Prompt > four PASSED
BUILD FAILED
"""

PARSERS = {
    "parse_log_pytest": [PYTEST, PYTEST_V2],
    "parse_log_pytest_options": [PYTEST],
    "parse_log_pytest_v2": [PYTEST_V2, PYTEST],
    "parse_log_matplotlib": [PYTEST + "PASSED tests/test_m.py::test_m[MouseButton.LEFT]\n"],
    "parse_log_seaborn": [SEABORN],
    "parse_log_sympy": [SYMPY],
    "parse_log_django": [DJANGO],
    "parse_log_maven": [MAVEN],
    "parse_log_ant": [ANT],
    "parse_log_gradle_custom": [GRADLE],
    "parse_log_scikit": [PYTEST_V2],
    "parse_log_requests": [PYTEST],
    "parse_log_flask": [PYTEST],
}


def marked(log, code=None, end=True):
    text = "+ : '>>>>> Start Test Output'\n" + log + ("+ : '>>>>> End Test Output'\n" if end else "")
    return text + ("" if code is None else "+ : '>>>>> Test Exit Code: %d'\n" % code)


ONE = "PASSED a::one\nPASSED a::two\n"
# log, FAIL_TO_PASS, PASS_TO_PASS, eval_type
GRADES = [
    (marked(ONE), ["a::one"], ["a::two"], "pass_and_fail"),
    (marked(ONE, 0), ["a::one"], ["a::two"], "pass_and_fail"),
    (marked(ONE, 1), ["a::one"], ["a::two"], "pass_and_fail"),
    (marked(ONE + "FAILED a::other - x\n", 1), ["a::one"], ["a::two"], "pass_and_fail"),
    (marked("PASSED a::one\nSKIPPED a::two\n"), ["a::one"], ["a::two"], "pass_and_fail"),
    (marked("SKIPPED a::one\nPASSED a::two\n"), ["a::one"], ["a::two"], "pass_and_fail"),
    (marked("XFAIL a::one\nXFAIL a::two\n"), ["a::one"], ["a::two"], "pass_and_fail"),
    (marked("PASSED a::one\n"), ["a::one"], ["a::two"], "pass_and_fail"),
    (marked("PASSED a::two\n"), ["a::one"], ["a::two"], "pass_and_fail"),
    (marked("ERROR a::one\nPASSED a::two\n"), ["a::one"], ["a::two"], "pass_and_fail"),
    (marked("PASSED a::one\nFAILED a::two\n"), ["a::one"], ["a::two"], "pass_and_fail"),
    (marked("PASSED a::one\nFAILED a::three\n"), ["a::one", "a::three"], [], "pass_and_fail"),
    (marked(ONE), ["a::one"], [], "pass_and_fail"),
    (marked(ONE), [], ["a::two"], "pass_and_fail"),
    (marked(ONE, end=False), ["a::one"], ["a::two"], "pass_and_fail"),
    (ONE, ["a::one"], ["a::two"], "pass_and_fail"),
    (ONE + marked(""), ["a::one"], ["a::two"], "pass_and_fail"),
    (marked("nothing\n"), ["a::one"], ["a::two"], "pass_and_fail"),
    (marked("nothing\n"), ["a::one"], ["a::two"], "fail_only"),
    (marked("5 passing\n"), ["a::one"], ["a::two"], "fail_only"),
    (marked("0 passing\n"), ["a::one"], ["a::two"], "fail_only"),
    (marked("5 passing\nFAILED a::one\n", 1), ["a::one"], ["a::two"], "fail_only"),
    (marked("5 passing\nERROR a::one\n", 1), ["a::one"], ["a::two"], "fail_only"),
    (marked(ONE) + ">>>>> Tests Timed Out\n", ["a::one"], ["a::two"], "pass_and_fail"),
    (marked("PASSED a::p[x(1)]\nPASSED a::p[x(2)]\n"), ["a::p[x("], [], "pass_and_fail"),
    (marked("PASSED a::p[x(1)]\nFAILED a::p[x(2)]\n"), ["a::p[x("], [], "pass_and_fail"),
    (marked("PASSED a::p[x]\n"), ["a::p"], [], "pass_and_fail"),
]
SIGNS = [
    "",
    "all is well",
    "java.lang.OutOfMemoryError: Java heap space",
    "x\nKilled\ny",
    "was Killed by",
    "ModuleNotFoundError: No module named 'x'",
    "Timeout error: 1800 seconds exceeded.",
    "collected 0 items\nCould not resolve host: github.com",
    "Error response from daemon: no such image",
]


def grade(log, fail_to_pass, pass_to_pass, eval_type):
    spec = Spec("i", "image", [], "o/r", "1", fail_to_pass, pass_to_pass, "parse_log_pytest", eval_type)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(log)
        file.flush()
        prediction = {"instance_id": "i", "model_name_or_path": "m", "model_patch": "x"}
        return {
            "log": log,
            "fail_to_pass": fail_to_pass,
            "pass_to_pass": pass_to_pass,
            "eval_type": eval_type,
            "report": grading.get_eval_report(spec, prediction, file.name, True),
        }


json.dump(
    {
        "parsers": [
            {"parser": name, "log": log, "tests": grading.PARSER_REGISTRY[name](log, None)}
            for name, logs in PARSERS.items()
            for log in logs
        ],
        "grades": [grade(*case) for case in GRADES],
        "signs": [{"log": log, "sign": infra.classify_text(log)} for log in SIGNS],
    },
    out,
    indent=1,
)
out.write("\n")
