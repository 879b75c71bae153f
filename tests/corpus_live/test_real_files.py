"""Real configuration files are started, not only read: every process ends up where it ends up under the original.

What they would run is replaced by something harmless (harmless.py). CI starts a fixed choice, `make test-corpus-live` all.
"""
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

import corpus
import harmless
import play
from harness.subject import LONG, TESTED

AT_ONCE = 16
BARE = re.compile(r"^depends_on\s*=", re.M)


def chosen(files):
    if LONG:
        return files
    return files[:: max(1, len(files) // corpus.IN_CI)][: corpus.IN_CI]


def known_files():
    """Every file of which it is known where it ends up under the original, with that; none if there are no files here."""
    folder = corpus.folder()
    if folder is None:
        corpus.SAID.append(corpus.NO_CORPUS)
        return [], {}
    expected = corpus.outcomes()
    return [file for file in harmless.files(folder) if file.identity in expected], expected


def problems_of(files, expected):
    def judge(file):
        seen = play.start(file, TESTED, expected[file.identity])
        if seen != expected[file.identity]:
            # Beside so many others a short life may seem long: once more, alone or nearly so.
            seen = play.start(file, TESTED, expected[file.identity])
        return None if seen == expected[file.identity] else f"{file.identity}\n  theirs {expected[file.identity]}\n  ours   {seen}"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [each for each in pool.map(judge, files) if each]


@pytest.mark.timeout(3600 if LONG else 600)
def test_every_process_ends_up_where_it_does_under_the_original():
    files, expected = known_files()
    if not files:
        return
    files = chosen(files)
    problems = problems_of(files, expected)
    processes = sum(len(expected[file.identity].split()) - 1 for file in files)
    corpus.SAID.append(
        f"real files: {len(files) - len(problems)} of {len(files)} started like under the original ({processes} processes; {len(expected)} files are known)"
    )
    assert not problems, "\n".join(problems)


@pytest.mark.timeout(300)
def test_a_bare_depends_on_lets_everything_end_up_where_it_does_under_the_original():
    """The option means nothing to the original, and with us it orders: whatever it names, everything is started as often as before."""
    files, expected = known_files()
    if not files:
        return
    files = [file for file in files if BARE.search(file.path.read_text(errors="replace"))]
    problems = problems_of(files, expected)
    corpus.SAID.append(f"real files with a bare depends_on: {len(files) - len(problems)} of {len(files)} started like under the original")
    assert not problems, "\n".join(problems)
