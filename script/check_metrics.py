#!/usr/bin/env python3
"""Fails when a metric of the sources is not in docs/metrics.md, or the other way round.

Usage: check_metrics.py ROOT. Prints one line per offence.
"""

import pathlib
import re
import sys

FOLDERS = ("base", "store", "index", "rules", "replicator", "mutation", "controller", "webhook", "audit", "tools")
# What looks like a metric and is none.
OTHERS = {"portcullis_declared_index"}


def main(root):
    made = set()
    for folder in FOLDERS:
        for file in (root / folder).rglob("*.cc"):
            made |= set(re.findall(r'"((?:portcullis|gatekeeper)_[a-z_]+)"', file.read_text(encoding="utf-8")))
    made -= OTHERS
    told = set(re.findall(r"`((?:portcullis|gatekeeper)_[a-z_]+)`", (root / "docs/metrics.md").read_text(encoding="utf-8")))
    for name in sorted(made - told):
        print(f"docs/metrics.md: {name} is missing")
    for name in sorted(told - made):
        print(f"docs/metrics.md: {name} is no metric")
    return 1 if made != told else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
