#!/usr/bin/env python3
"""Explanations of OPA's own cases, by `portcullis eval --explain` and by `opa eval --explain`: every event, in its order.

    trace_test.py [--count N] [--seed S] [--only TEXT] [--modes full,fails,notes,debug] [--formats pretty,json]

Takes N cases of PORTCULLIS_SHARED/conformance/rego (../shared beside the checkout) at random, and prints where the two differ.
Exits 1 if one does; 77 where the cases or opa are not there. Recorded explanations are among tests/commands/eval.
"""
import argparse
import concurrent.futures
import itertools
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get("PORTCULLIS_SHARED", ROOT.parent / "shared")) / "conformance/rego"
PROGRAM = os.environ.get("PORTCULLIS_PROGRAM", str(ROOT / "build/release/portcullis"))
OPA = pathlib.Path(os.environ.get("PORTCULLIS_CACHE", pathlib.Path.home() / ".cache/portcullis")) / "peers/opa"
# The time, random ids, and the width of one emoji in the table of results.
PASSED_BY = ("jwtdecodeverify/test-jwtdecodeverify-0459", "strings/test-strings-0924", "withkeyword/builtin", "time/", "rand", "uuid")


def read_cases(only):
    for file in sorted(SHARED.rglob("*.yaml")):
        for case in (yaml.load(file.read_text(), yaml.CSafeLoader) or {}).get("cases") or []:
            name = f"{file.relative_to(SHARED)} {case['note']}"
            if only in name and not any(text in name for text in PASSED_BY):
                yield name, case


def normal(text):
    """JSON with the variables of each event by name: OPA lists them in the order of a Go map."""
    try:
        output = json.loads(text)
    except ValueError:
        return text
    for error in output.get("errors", []):
        error.pop("stack_trace", None)
    for event in output.get("explanation", []):
        event["Locals"] = event["Locals"] and sorted(event["Locals"], key=json.dumps)
    return json.dumps(output, indent=1)


def explain(program, mode, form, name, case, folder):
    words = [program, "eval", "--explain", mode, "--format", form, "--timeout", "10s"]
    words += ["--v0-compatible"] if name.startswith("v0/") else []
    words += ["--strict-builtin-errors"] if case.get("strict_error") else []
    for path in sorted(folder.iterdir()):
        words += ["-i" if path.name == "in.json" else "-d", path.name]
    environment = {**os.environ, **(case.get("env") or {})}
    done = subprocess.run(
        [*words, case["query"]], cwd=folder, capture_output=True, text=True, timeout=60, env=environment, check=False
    )
    return done.stdout if form == "pretty" else normal(done.stdout), done.returncode


def first_difference(theirs, ours):
    """A few lines of each, from where they part. Explanations are too long for a difference in all."""
    at = next((i for i, (a, b) in enumerate(zip(theirs, ours)) if a != b), min(len(theirs), len(ours)))
    return "\n".join(
        [f"  {line}" for line in ours[max(0, at - 12) : at]]
        + [f"- {line}" for line in theirs[at : at + 6]]
        + [f"+ {line}" for line in ours[at : at + 6]]
    )


def compare(name, case, modes, forms):
    """The difference as text; empty: none; None: the case has something that no command line can say."""
    if "input_term" in case:
        return None
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        for i, module in enumerate(case.get("modules") or []):
            (folder / f"m{i}.rego").write_text(module)
        try:
            for key, file in (("data", "data.json"), ("input", "in.json")):
                if case.get(key) is not None:
                    (folder / file).write_text(json.dumps(case[key]))
        except TypeError:
            return None
        for mode, form in itertools.product(modes, forms):
            theirs, code = explain(str(OPA), mode, form, name, case, folder)
            ours, our_code = explain(PROGRAM, mode, form, name, case, folder)
            if mode == "debug" and form == "pretty":
                # OPA names the last rule of a package where another one is meant: docs/compatibility.md.
                theirs, ours = (
                    "\n".join(line for line in text.splitlines() if not line.endswith(" = _") or "Unify data." not in line)
                    for text in (theirs, ours)
                )
            if (theirs, code) != (ours, our_code):
                return f"{mode} {form}, exit {code} and {our_code}\n{first_difference(theirs.splitlines(), ours.splitlines())}"
    return ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=120)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("PORTCULLIS_SEED", "1")))
    parser.add_argument("--only", default="")
    parser.add_argument("--modes", default="full,fails")
    parser.add_argument("--formats", default="pretty,json")
    options = parser.parse_args()
    if not SHARED.exists() or not OPA.exists():
        print(f"{SHARED if OPA.exists() else OPA} is not here")
        return 77
    cases = list(read_cases(options.only))
    random.Random(options.seed).shuffle(cases)
    compared = differing = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        modes, forms = options.modes.split(","), options.formats.split(",")
        results = pool.map(lambda case: compare(*case, modes, forms), cases[: options.count])
        for (name, _), problem in zip(cases, results):
            compared += problem is not None
            if problem:
                differing += 1
                print(f"DIFFERS {name}: {problem}")
    print(f"seed {options.seed}: {compared} cases, {differing} differ")
    return 1 if differing or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
