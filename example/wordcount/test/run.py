#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Tests of wordcount:  run.py PROGRAM CASE"""
import collections
import os
import pathlib
import random
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

program = os.path.abspath(sys.argv[1])


def make_files(folder: pathlib.Path, count: int, words: int = 400) -> collections.Counter:
    """Files in subfolders; returns a plain count of their words."""
    chance = random.Random(7)
    total = collections.Counter()
    for i in range(count):
        path = folder / f"{i % 5}" / f"{i}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = " ".join(chance.choice(["The", "quick", "brown-fox", "Grüße", "x1", f"word{chance.randrange(500)}", "\n"]) for _ in range(words))
        path.write_text(text, encoding="utf-8")
        for word in re.findall(rb"[a-z0-9\x80-\xff]+", text.encode().lower()):
            total[word.decode()] += 1
    return total


def counted(database: pathlib.Path) -> dict:
    with sqlite3.connect(database) as db:
        return dict(db.execute("SELECT word, count FROM words"))


def run(*arguments, expected=0, **options):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=240, **options)
    assert done.returncode == expected, (done.returncode, done.stderr)
    return done


def stop_in_the_middle(folder, database, number) -> subprocess.Popen:
    """Starts it, and sends it a signal when some files are in the journal."""
    journal = pathlib.Path(f"{database}.journal")
    started = subprocess.Popen([program, "-q", "-p", "2", "-o", database, folder], stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 120
    while not (journal.exists() and journal.stat().st_size > 50_000):
        assert started.poll() is None, "it has ended before it could be stopped"
        assert time.monotonic() < end, "nothing came into the journal"
        time.sleep(0.001)
    started.send_signal(number)
    started.wait(timeout=120)
    assert not database.exists(), "it had ended before it was stopped"
    assert journal.exists()
    return started


def case_same_as_a_plain_count(folder):
    total = make_files(folder / "in", 60)
    for arguments in (["--plain"], ["-q", "-p", "1"], ["-p", "3"]):
        database = folder / "out.db"
        run(*arguments, "-o", database, folder / "in")
        assert counted(database) == total
        assert sorted(p.name for p in folder.iterdir()) == ["in", "out.db"], "something was left behind"
        database.unlink()


def case_interrupted_and_resumed(folder):
    total = make_files(folder / "in", 1500)
    database = folder / "out.db"
    stopped = stop_in_the_middle(folder / "in", database, signal.SIGINT)
    assert stopped.returncode == 130, stopped.returncode
    assert "goes on where it was" in stopped.stderr.read()
    kept = pathlib.Path(f"{database}.journal").stat().st_size
    assert kept > 50_000
    run("-q", "-o", database, folder / "in")
    assert counted(database) == total
    assert not pathlib.Path(f"{database}.journal").exists()


def case_killed_and_resumed(folder):
    total = make_files(folder / "in", 1500)
    database = folder / "out.db"
    assert stop_in_the_middle(folder / "in", database, signal.SIGKILL).returncode == -signal.SIGKILL
    # Files whose counts are in the journal are not read again.
    first = folder / "in" / "0" / "0.txt"
    modified = first.stat()
    run("-q", "-o", database, folder / "in")
    assert counted(database) == total
    assert first.stat().st_mtime == modified.st_mtime


def case_a_file_that_cannot_be_read(folder):
    total = make_files(folder / "in", 10)
    (folder / "in" / "gone").symlink_to("/proc/self/mem")  # a regular file; nothing can be read at its beginning
    done = run("-q", "-o", folder / "out.db", folder / "in", expected=1)
    assert "gone" in done.stderr, done.stderr
    assert counted(folder / "out.db") == total


def case_bad_command_lines(folder):
    for arguments in ([], ["-p"], ["-p", "x", "."], ["--what"], ["a", "b"], [folder / "nowhere"]):
        done = run(*arguments, expected=1)
        assert done.stderr.startswith("wordcount: "), done.stderr
    assert "FOLDER" in run("-h").stdout


with tempfile.TemporaryDirectory(prefix="wordcount_") as temporary:
    globals()["case_" + sys.argv[2]](pathlib.Path(temporary))
