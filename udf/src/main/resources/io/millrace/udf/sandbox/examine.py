# Runs a program with its tests, and says the word that it was told when both have come to their end.
#
# The word comes by standard input, which is shut before the program begins, and is kept nowhere but in a local variable.
# It is written to where standard output led at first, whatever the program has made of that.
import os
import sys


def examine(path):
    word = sys.stdin.buffer.readline()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    out = os.dup(1)
    with open(path, encoding="utf-8") as file:
        source = file.read()
    exec(compile(source, "program.py", "exec"), {})
    sys.stdout.flush()
    os.write(out, b"\n" + word)
    # nothing that the program has left running or for later is waited for
    os._exit(0)


examine(sys.argv[1])
