#!/usr/bin/env python3
"""Random constraint templates, reviewed by `portcullis test` and by `gator test`: messages, details, order, errors.

    templates_test.py --gator GATOR --portcullis PORTCULLIS --templates DIFFERENTIAL_TEMPLATES [--seed S] [--count N]

Prints each template that differs with its seed and both outputs. Exits 1 if one does.
"""
import argparse
import concurrent.futures
import json
import pathlib
import subprocess
import sys
import tempfile


def outcome(program, folder):
    run = subprocess.run(
        [program, "test", "--filename", str(folder), "--output", "json"], capture_output=True, text=True, timeout=60
    )
    if not run.stdout.strip():
        return run.returncode, "error" if run.returncode not in (0, 1) or run.stderr.strip() else "", run.stderr
    # Which object comes first is not part of the answer: per object, the results in their order.
    by_object = {}
    for result in json.loads(run.stdout) or []:
        metadata = result["violatingObject"]["metadata"]
        key = (result["violatingObject"]["kind"], result["violatingObject"]["apiVersion"], metadata.get("namespace"), metadata["name"])
        details = (result.get("metadata") or {}).get("details")
        by_object.setdefault(str(key), []).append((result.get("msg", ""), details))
    return run.returncode, by_object, run.stderr


def main():
    parser = argparse.ArgumentParser()
    for name in ("gator", "portcullis", "templates"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(
            [options.templates, scratch, "--seed", str(options.seed), "--count", str(options.count)], check=True
        )
        differing = violations = refused = 0
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            seeds = range(options.seed, options.seed + options.count)
            both = pool.map(
                lambda seed: [outcome(program, pathlib.Path(scratch) / str(seed)) for program in (options.portcullis, options.gator)],
                seeds,
            )
            for seed, (ours, theirs) in zip(seeds, both):
                violations += isinstance(theirs[1], dict)
                refused += theirs[1] == "error"
                if ours[:2] != theirs[:2]:
                    differing += 1
                    print(f"DIFFERS seed {seed}\n  ours:  {ours}\n  gator: {theirs}")
        print(f"{options.count} templates: {differing} differ; {violations} with violations, {refused} refused or failed")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
