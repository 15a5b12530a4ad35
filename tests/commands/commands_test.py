"""The commands verify, test, expand, eval and check beside the programs that they stand for: gator and opa.

    commands_test.py NAME             runs the cases of NAME/cases.txt and compares with NAME/answers.json
    commands_test.py NAME --live      compares with the other program's answers of this moment
    commands_test.py NAME --record    writes NAME/answers.json anew, from the other program

A case is a line of cases.txt: the arguments that both programs get, in a folder with the files of NAME/files.txt (each after a
line "-- path --"); "< FILE" at its end is standard input. `SHARED` in it is the folder of shared data: such cases are compared live alone, nothing of them is recorded. Lines
between `# ours` and `# theirs` have answers of our own, which are recorded from this program and read by a person.
Without --live, a run compares with the recorded answers, and live too where the other program is found.
"""

import difflib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SHARED = pathlib.Path(os.environ.get("PORTCULLIS_SHARED", ROOT.parent / "shared"))
PROGRAM = os.environ.get("PORTCULLIS_PROGRAM", str(ROOT / "build/release/portcullis"))
PEERS = pathlib.Path(os.environ.get("PORTCULLIS_CACHE", pathlib.Path.home() / ".cache/portcullis")) / "peers"
PEER = {"verify": "gator", "test": "gator", "expand": "gator", "eval": "opa", "check": "opa"}


def read_cases(folder):
    """The lines, each with whether its answer is our own."""
    ours = False
    for line in (folder / "cases.txt").read_text().splitlines():
        if line in ("# ours", "# theirs"):
            ours = line == "# ours"
        elif line.strip() and not line.startswith("#"):
            yield line.strip(), ours


def unpack(text, folder):
    parts = re.split(r"^-- (\S+) --\n", text, flags=re.MULTILINE)
    for path, content in zip(parts[1::2], parts[2::2]):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)


def by_name(found):
    """The variables of an event, which OPA lists in the order of a Go map."""
    return found[1] + ",\n".join(sorted(re.split(r",\n(?=        \{)", found[2]))) + found[3]


def normal(text, folder):
    """Without what differs from run to run: the folder, times, dates, random ids, the order of a Go map."""
    text = text.replace(str(folder), "DIR").replace(str(folder)[1:], "DIR").replace(str(SHARED), "SHARED")
    text = re.sub(r"\b\d+\.\d{3}s", "0.000s", text)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID", text)
    text = re.sub(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d ", "", text)
    text = re.sub(r'("(?:timer_\w+|total_time_ns)": )\d+', r"\1 0", text)
    text = re.sub(r'("Locals": \[\n)(.*?)(\n      \])', by_name, text, flags=re.DOTALL)
    return re.sub(r"(Value|value)(\"?: +)\d{3,}\b", r"\1\2 N", text)


def run(program, name, line, folder):
    redirect = re.search(r"(?:^| )< ([\w./-]+)$", line)
    arguments = line[: redirect.start()] if redirect else line
    words = shlex.split(arguments.replace("SHARED", str(SHARED)))
    if pathlib.Path(program).name == "gator" and name != "expand":
        words.append("--enable-k8s-native-validation=false")
    given = (folder / redirect[1]).read_text() if redirect else ""
    done = subprocess.run(
        [program, name, *words], cwd=folder, input=given, capture_output=True, text=True, timeout=120, check=False
    )
    return {
        "code": done.returncode,
        "stdout": normal(done.stdout, folder),
        "stderr": normal(done.stderr, folder),
    }


def show(line, want, got):
    """The difference as text; empty: none."""
    text = ""
    for part in ("code", "stdout", "stderr"):
        if want[part] != got[part]:
            lines = difflib.unified_diff(
                str(want[part]).splitlines(), str(got[part]).splitlines(), f"{part} wanted", f"{part} got", lineterm=""
            )
            text += "\n".join(lines) or f"{part}: {want[part]!r} wanted, {got[part]!r} got"
            text += "\n"
    return text and f"FAIL {line}\n{text}"


def main():
    name = sys.argv[1]
    mode = sys.argv[2] if len(sys.argv) > 2 else ""
    peer = PEERS / PEER[name]
    answers_file = HERE / name / "answers.json"
    answers = json.loads(answers_file.read_text()) if answers_file.exists() else {}
    live = peer.exists()
    if mode and not live:
        sys.exit(f"{peer} is not there")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="portcullis-commands-"))
    failures = cases = 0
    recorded = {}
    try:
        unpack((HERE / name / "files.txt").read_text(), folder)
        for line, ours in read_cases(HERE / name):
            shared = "SHARED" in line
            if shared and not SHARED.exists():
                continue
            cases += 1
            got = run(PROGRAM, name, line, folder)
            if mode == "--record":
                if not shared:
                    recorded[line] = got if ours else run(str(peer), name, line, folder)
                continue
            wanted = []
            if mode != "--live" and not shared:
                wanted.append(answers.get(line) or {"code": "recorded", "stdout": "", "stderr": ""})
            if live and not ours:
                wanted.append(run(str(peer), name, line, folder))
            problem = next(filter(None, (show(line, want, got) for want in wanted)), "")
            failures += bool(problem)
            print(problem, end="")
    finally:
        shutil.rmtree(folder)
    if mode == "--record":
        answers_file.write_text(json.dumps(recorded, indent=1, ensure_ascii=False) + "\n")
    print(f"{cases} cases, {failures} failed" + ("" if live else f"; {PEER[name]} is not here: recorded answers alone"))
    return 1 if failures or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
