"""Writes the golden values of src/text/sequence-matcher.test.ts with Python's own difflib.

    python3 scripts/golden/difflib_ratio.py > src/text/sequence-matcher.fixture.json
"""
import difflib
import json
import platform
import random

random.seed(1)
WORDS = "bake bread with warm water and salt let the dough rest for an hour . then you are so stupid".split()


def sentence(n):
    return " ".join(random.choice(WORDS) for _ in range(n))


pairs = [
    ("", ""), ("a", ""), ("", "b"), ("abc", "abc"), ("abcd", "bcde"), ("aaaa", "aa"), ("qabxcd", "abycdf"),
    ("private Thread currentThread;", "private volatile Thread currentThread;"),
    ("\U0001f600 smile \U0001f600", "\U0001f600 frown \U0001f622"), ("e\u0301", "\u00e9"), ("line one\nline two", "line two\nline one"),
    ("ab" * 200, "ba" * 200), ("x" * 350, "x" * 349 + "y"), ("the quick brown fox " * 30, "the quick red fox " * 30),
]
for n in (1, 3, 8, 15, 40):
    for _ in range(8):
        pairs.append((sentence(n), sentence(n)))
for _ in range(20):
    pairs.append(("".join(random.choice("abc ") for _ in range(random.randint(0, 30))), "".join(random.choice("abc ") for _ in range(random.randint(0, 30)))))

cases = []
for a, b in pairs:
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    matched = sum(block.size for block in matcher.get_matching_blocks())
    cases.append({"a": a, "b": b, "ratio": matcher.ratio(), "matched": matched})
print(json.dumps({"python": platform.python_version(), "cases": cases}, indent=0))
