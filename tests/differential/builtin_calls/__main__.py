"""Calls of builtins on random operands, answered by this engine and by OPA: every answer is the same, to the text.

    python3 tests/differential/builtin_calls --ours build/release/portcullis_peer [--opa opa_peer] [--seed 1] [--calls 50] [NAME…]

Each call is asked with strict builtin errors, so that what comes is a result, undefined, or an error with its text. The seed is
printed; PORTCULLIS_SEED sets it too. Calls that once differed are in recorded.jsonl with OPA's answers: they are replayed in every
run, and without OPA's peer (see docs/development.md) they are all that is run. Where OPA crashes, nothing is compared.
"""

import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import time

import domain_calls
import pools
import terms
import text_calls
import value_calls

HERE = pathlib.Path(__file__).parent
CALLS = {**text_calls.CALLS, **value_calls.CALLS, **domain_calls.CALLS}
# What still differs, by the beginning of a name: counted, but no failure.
KNOWN = {
    "graphql.": "some checks of schemas, and columns in errors",
    "io.jwt.": "the words of the libraries that OPA reads keys and tokens with",
    "yaml.": "places in errors, U+0085 as a line's end, tags of timestamps",
}
# Where both refuse a pattern for the same place in it, Go's word for that place has one more character than RE2's.
BROKEN_ESCAPE = "invalid escape sequence: `\\x"
WRONG = 0.03  # So often is an operand of any type in the place of one.


def request(name, operands):
    places = ", ".join(f"input[{i}]" for i in range(len(operands)))
    return {"query": f"x = {name}({places})", "input_term": terms.text(list(operands)), "strict_builtin_errors": True}


def requests(names, count, seed):
    for name in names:
        r = random.Random(f"{seed} {name}")
        for _ in range(count):
            makers = CALLS[name]
            operands = makers(r) if callable(makers) else [make(r) for make in makers]
            yield request(name, [pools.any_term(r) if r.random() < WRONG else operand for operand in operands])


class Peer:
    """A program that answers a line with a line."""

    def __init__(self, *command):
        self.command = command
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def send(self, asked):
        self.process.stdin.write(json.dumps({"id": 0, **asked}).encode() + b"\n")
        self.process.stdin.flush()

    def receive(self):
        """The outcome; None where the program crashed, as OPA does on a few calls. It is started again then."""
        line = self.process.stdout.readline()
        if line:
            return outcome(json.loads(line))
        self.stop()
        self.start()
        return None

    def stop(self):
        self.process.communicate()


def outcome(answer):
    """What is compared: the values of x, or the errors' codes and texts; None where OPA panicked."""
    if "errors" in answer:
        if answer["errors"][0]["code"] == "panic":
            return None
        call, error, text = answer["text"].partition("eval_builtin_error: ")
        if error and answer["errors"][0]["code"].startswith("rego_"):
            return ["error", error + text]  # The peer shows the parser's errors instead of the one that they are part of.
        return ["error"] + [problem["code"] + ": " + problem["message"] for problem in answer["errors"]]
    return [solution["x"] for solution in answer.get("solutions", [])]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="builtins; without any: all")
    parser.add_argument("--ours", required=True, help="portcullis_peer")
    parser.add_argument("--opa", default=find_peer(), help="opa_peer")
    long_run = os.environ.get("PORTCULLIS_LONG") == "1"
    seed = os.environ.get("PORTCULLIS_SEED") or (str(time.time_ns()) if long_run else "1")
    parser.add_argument("--seed", default=seed, help="of the calls; always the same but in long runs")
    parser.add_argument("--calls", type=int, default=0, help="of each builtin")
    parser.add_argument("--record", action="store_true", help="add what differs to recorded.jsonl, at most two of a builtin")
    parser.add_argument("--show", type=int, default=5, help="differences of a builtin that are printed")
    options = parser.parse_args()
    recorded = HERE / "recorded.jsonl"
    failed = replay(recorded, options)
    if options.opa:
        failed += compare(recorded, options)
    else:
        print("without OPA's peer (PORTCULLIS_OPA_PEER) only recorded answers were compared")
    sys.exit(1 if failed else 0)


def find_peer():
    named = os.environ.get("PORTCULLIS_OPA_PEER")
    cache = os.environ.get("PORTCULLIS_CACHE") or os.path.expanduser("~/.cache/portcullis")
    built = os.path.join(cache, "peers", "opa_peer")
    return named or (built if os.access(built, os.X_OK) else "")


def replay(recorded, options):
    kept = [json.loads(line) for line in recorded.read_text().splitlines()] if recorded.exists() else []
    if options.names:
        kept = [one for one in kept if one["query"].split("= ", 1)[1].split("(")[0] in options.names]
    ours = Peer(options.ours)
    failed = 0
    for one in kept:
        ours.send({k: v for k, v in one.items() if k != "want"})
        got = ours.receive()
        if got != one["want"]:
            failed += 1
            show(one, got, one["want"])
    ours.stop()
    print(f"{len(kept)} recorded calls, {failed} differ")
    return failed


def show(asked, ours, opa):
    print(f"{asked['query']}\n  on   {asked['input_term']}\n  ours {told(ours)}\n  OPA  {told(opa)}")


def told(found):
    return "crashed" if found is None else "; ".join(found) or "undefined"


def compare(recorded, options):
    count = options.calls or (2000 if os.environ.get("PORTCULLIS_LONG") == "1" else 15)
    print(f"seed {options.seed}, {count} calls of each builtin")
    asked = list(requests(options.names or sorted(CALLS), count, options.seed))
    ours, opa = Peer(options.ours), Peer(options.opa, "answer")
    failed, differing = 0, {}
    for one in asked:
        ours.send(one)
        opa.send(one)
        mine, wanted = ours.receive(), opa.receive()
        if mine is not None and wanted is not None and BROKEN_ESCAPE in told(mine) and BROKEN_ESCAPE in told(wanted):
            continue
        if mine is None or (wanted is not None and mine != wanted):
            failed += 1
            name = one["query"].split("= ", 1)[1].split("(")[0]
            differing.setdefault(name, []).append((one, mine, wanted))
    ours.stop()
    opa.stop()
    for name, found in sorted(differing.items()):
        reason = next((reason for prefix, reason in KNOWN.items() if name.startswith(prefix)), "")
        print(f"== {name}: {len(found)} of {count} differ" + (f" (known: {reason})" if reason else ""))
        if reason and not options.names:
            failed -= len(found)
            continue
        for one, mine, wanted in found[: options.show]:
            show(one, mine, wanted)
        if options.record:
            with recorded.open("a") as out:
                for one, _, wanted in found[:2]:
                    out.write(json.dumps({**one, "want": wanted}) + "\n")
    print(f"{len(asked)} calls, {failed} differ that are not known to")
    return failed


main()
