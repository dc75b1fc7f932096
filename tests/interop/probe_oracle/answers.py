"""Files of known answers: native-probes/known-answers/BACKEND/FAMILY.json.

A file locks its own answers: `locked` has, of every probe version so far, the SHA-256 of its answers. A digest that changed while
the version stayed is refused here, by the build and by the tests.
"""

import hashlib
import json
import os

from .registry import FAMILIES

FOLDER = os.path.normpath(os.path.join(os.path.dirname(__file__), "..", "..", "..", "native-probes", "known-answers"))

SEEDS = [
    (0, 0), (0, 1), (1, 0), (179000000, 0), (179000000, 1), (179000001, 7),
    (4294967295, 0), (4294967295, 4294967295), (123456789, 42),
]  # fmt: skip


def lock_of(answers):
    """Of the lines "epoch index digest"."""
    lines = "".join(f"{answer['epoch']} {answer['index']} {answer['digest']}\n" for answer in answers)
    return hashlib.sha256(lines.encode()).hexdigest()


def answer_of(family, backend, epoch, index):
    return {"epoch": epoch, "index": index, "digest": f"{family.sm_digest(backend, epoch, index):08x}"}


def contents_of(name, backend, seeds):
    family = FAMILIES[name]
    version = family.recipe(backend).probe_version
    answers = [answer_of(family, backend, epoch, index) for epoch, index in seeds]
    head = {"family": name, "number": family.number, "backend": backend, "probe_version": version}
    return {**head, "answers": answers, "locked": {str(version): lock_of(answers)}}


def make(folder, name, backend):
    """Writes a family's file. Returns what is wrong, or None."""
    path = os.path.join(folder, backend, f"{name}.json")
    new = contents_of(name, backend, SEEDS)
    version = str(new["probe_version"])
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            locked = json.load(file)["locked"]
        if locked.get(version, new["locked"][version]) != new["locked"][version]:
            return f"{path}: version {version} has other answers; a change of the recipe is a new probe_version"
        new["locked"] = {**locked, **new["locked"]}
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(json.dumps(new, indent=2) + "\n")
    return None


def verify(path, part):
    """Whether a file's answers are as recomputed and as locked. part = (k, n): of the answers only every n-th from the k-th."""
    with open(path, encoding="utf-8") as file:
        stored = json.load(file)
    family, backend = FAMILIES[stored["family"]], stored["backend"]
    answers = stored["answers"]
    chosen = answers[part[0]::part[1]]
    again = [answer_of(family, backend, answer["epoch"], answer["index"]) for answer in chosen]
    same_head = (stored["number"], stored["probe_version"]) == (family.number, family.recipe(backend).probe_version)
    locked = stored["locked"].get(str(stored["probe_version"])) == lock_of(answers)
    good = again == chosen and same_head and locked
    verdict = "as recomputed" if good else "DIFFER" if locked else "DIFFER from what their probe_version locks"
    print(f"{path}: {len(chosen)} answers {verdict}")
    return good
