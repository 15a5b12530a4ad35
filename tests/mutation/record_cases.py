#!/usr/bin/env python3
"""Puts the cases of case_list.py before a real Gatekeeper and writes down what it answers: tests/cases/mutation.

  record_cases.py --manager PATH --manifests PATH      PATH of gatekeeper-manager, and of Gatekeeper's deploy/gatekeeper.yaml

A control plane is started and wiped (KUBEBUILDER_ASSETS names its programs). What a random id is in a text becomes UUID. The
patch is recorded as what it makes of the object, since the order of a patch's operations is not fixed.
"""

import base64
import copy
import json
import pathlib
import re
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "tests/e2e")]

import case_list  # noqa: E402
import gatekeeper  # noqa: E402
import harness  # noqa: E402

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
NAMESPACES = [("default", {}), ("lab", {"env": "prod"}), ("other", {}), ("ignored-1", {})]
CONFIG = {"apiVersion": "config.gatekeeper.sh/v1alpha1", "kind": "Config",
          "metadata": {"name": "config", "namespace": "gatekeeper-system"},
          "spec": {"match": [{"processes": ["mutation-webhook"], "excludedNamespaces": ["ignored-*"]}]}}
MUTATION = ("webhook", "mutation-webhook", "mutation-status")
STATUSES = "/apis/status.gatekeeper.sh/v1beta1/namespaces/gatekeeper-system/mutatorpodstatuses"


def namespace(name, labels):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {
        "kubernetes.io/metadata.name": name, **labels}}}


def apply_patch(document, patch):
    """RFC 6902, as far as Gatekeeper uses it."""
    document = copy.deepcopy(document)
    for step in patch:
        keys = [key.replace("~1", "/").replace("~0", "~") for key in step["path"].split("/")[1:]]
        at = document
        for key in keys[:-1]:
            at = at[int(key)] if isinstance(at, list) else at[key]
        key = keys[-1]
        if isinstance(at, list):
            place = len(at) if key == "-" else int(key)
            if step["op"] == "add":
                at.insert(place, step.get("value"))
            elif step["op"] == "remove":
                del at[place]
            else:
                at[place] = step.get("value")
        elif step["op"] == "remove":
            del at[key]
        else:
            at[key] = step.get("value")
    return document


def wait_for_statuses(plane, count):
    client = plane.client()

    def all_there():
        items = client.call("GET", STATUSES)[1].get("items", [])
        return items if len(items) >= count else None

    harness.wait_until("all mutators are ingested", all_there, 120, 1)
    time.sleep(10)  # Conflicts are written to those who came first a while later.
    return all_there()


def record(manager, name, body):
    reply = json.loads(manager.ask("/v1/mutate", body))
    response = reply["response"]
    patch = response.pop("patch", None)
    response.pop("patchType", None)
    recorded = {"name": name, "body": body,
                "want": without_ids(json.dumps(reply, ensure_ascii=False, separators=(",", ":")))}
    if patch is not None:
        before = json.loads(body)["request"]["object"]
        recorded["object"] = json.dumps(apply_patch(before, json.loads(base64.b64decode(patch))), ensure_ascii=False,
                                        separators=(",", ":"))
    return recorded


def without_ids(text):
    return re.sub(r"(mutation )" + UUID.pattern, r"\1UUID", text)


def write(path, comment, documents):
    """JSON, which is YAML too, and reads alike everywhere."""
    with open(path, "w", encoding="utf-8") as out:
        out.write(f"# {comment}\n")
        for document in documents:
            rows = document if isinstance(document, list) else [document]
            mark = "- " if isinstance(document, list) else "---\n"
            for row in rows:
                out.write(f"{mark}{json.dumps(row, ensure_ascii=False)}\n")


def main():
    arguments = gatekeeper.recorder_arguments(__doc__)
    out = ROOT / "tests/cases/mutation"
    out.mkdir(parents=True, exist_ok=True)
    namespaces = [namespace(name, labels) for name, labels in NAMESPACES]
    with gatekeeper.recorded(arguments, *namespaces, CONFIG) as (plane, manager):
        mutators = list(case_list.manifests())
        plane.apply_objects(*mutators)
        manager.start(*(f"--operation={each}" for each in MUTATION))
        statuses = wait_for_statuses(plane, len(mutators))
        errors = []
        for one in sorted(statuses, key=lambda one: one["metadata"]["name"]):
            for error in one["status"].get("errors") or []:
                labels = one["metadata"]["labels"]
                errors.append({"kind": labels["internal.gatekeeper.sh/mutator-kind"],
                               "name": labels["internal.gatekeeper.sh/mutator-name"],
                               "type": error.get("type", ""), "message": error["message"]})
        recorded = [record(manager, name, body) for name, body in case_list.reviews()]
        admitted = [{"name": name, "body": body, "want": manager.ask("/v1/admit", body)}
                    for name, body in case_list.admissions()]
        write(out / "admissions.yaml", "Written by tests/mutation/record_cases.py: mutators on their way in, and what OPA "
              "Gatekeeper 3.23.1 answered.", [admitted])
        write(out / "setup.yaml", "Written by tests/mutation/record_cases.py: what is in force for reviews.yaml.", namespaces + mutators)
        write(out / "reviews.yaml", "Written by tests/mutation/record_cases.py: mutation reviews and what OPA Gatekeeper 3.23.1 "
              "answered; `object` is what its patch makes of the object.", [recorded])
        write(out / "statuses.yaml", "Written by tests/mutation/record_cases.py: errors in the statuses of the mutators of setup.yaml.", [errors])
        print(f"{len(recorded)} reviews, {len(admitted)} admissions, {len(errors)} errors in statuses")


if __name__ == "__main__":
    main()
