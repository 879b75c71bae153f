#!/usr/bin/env python3
"""usage: tests/corpus_live/record.py [FILE-ID...]

Starts the real files under the original and writes down where their processes end up: all of them, or those that are named.
Takes about a quarter of an hour, and wants a machine that does nothing else.
"""
import json
import sys
from concurrent.futures import ThreadPoolExecutor

import conftest  # noqa: F401  (finds the harness)

import corpus
import harmless
import play
from harness.subject import ORIGINAL

AT_ONCE = 10


def main(wanted):
    folder = corpus.folder()
    if folder is None or ORIGINAL is None:
        sys.exit(corpus.NO_CORPUS if folder is None else "the original is not installed")
    files = [file for file in harmless.files(folder) if not wanted or file.identity in wanted]
    known = corpus.outcomes()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for file, seen in zip(files, pool.map(lambda file: play.start(file, ORIGINAL), files)):
            if seen.startswith(("ended", "never")):
                print(f"{file.identity}: {seen}", flush=True)
                known.pop(file.identity, None)
            else:
                known[file.identity] = seen
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(seen)}" for name, seen in sorted(known.items()))
    corpus.OUTCOMES.write_text("{\n" + lines + "\n}\n")
    print(f"{len(known)} files")


main(set(sys.argv[1:]))
