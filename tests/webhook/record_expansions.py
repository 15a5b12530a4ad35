#!/usr/bin/env python3
"""Puts reviews of objects that ExpansionTemplates expand before a real Gatekeeper: tests/cases/expansion has its answers.

  record_expansions.py --manager PATH --manifests PATH      PATH of gatekeeper-manager, and of Gatekeeper's deploy/gatekeeper.yaml

A control plane is started and wiped (KUBEBUILDER_ASSETS names its programs). What a random id is in a text becomes UUID.
"""

import json
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "tests/mutation"), str(ROOT / "tests/e2e")]

import gatekeeper  # noqa: E402
import harness  # noqa: E402
import record_cases as recorder  # noqa: E402

OPERATIONS = ("webhook", "mutation-webhook", "mutation-status", "mutation-controller", "status", "generate")
STATUSES = "/apis/status.gatekeeper.sh/v1beta1/namespaces/gatekeeper-system/expansiontemplatepodstatuses"

OWNER = """
package needsowner
violation[{"msg": msg, "details": {"kind": input.review.kind.kind}}] {
  not input.review.object.metadata.labels.owner
  msg := sprintf("%v %v has no owner", [input.review.kind.kind, input.review.object.metadata.name])
}"""
ECHO = """
package echo
violation[{"msg": msg}] {
  shown := json.remove(input.review, ["uid", "namespaceObject"])
  msg := json.marshal(shown)
}"""


def template(name, kind, rego, operations=None):
    target = {"target": "admission.k8s.gatekeeper.sh", "rego": rego}
    if operations:
        target["operations"] = operations
    return {"apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate", "metadata": {"name": name},
            "spec": {"crd": {"spec": {"names": {"kind": kind}}}, "targets": [target]}}


def constraint(kind, name, match, action=None, scoped=None):
    spec = {"match": match}
    if action:
        spec["enforcementAction"] = action
    if scoped:
        spec["scopedEnforcementActions"] = scoped
    return {"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def expansion(name, group, kinds, source="spec.template", makes=("", "v1", "Pod"), action=None, version="v1"):
    spec = {"applyTo": [{"groups": [group], "versions": [version], "kinds": kinds}], "templateSource": source,
            "generatedGVK": dict(zip(("group", "version", "kind"), makes))}
    if action is not None:
        spec["enforcementAction"] = action
    return {"apiVersion": "expansion.gatekeeper.sh/v1beta1", "kind": "ExpansionTemplate", "metadata": {"name": name},
            "spec": spec}


def of(*kinds, group="", **more):
    return {"kinds": [{"apiGroups": [group], "kinds": list(kinds)}], **more}


TEMPLATES = [template("needsowner", "NeedsOwner", OWNER), template("echo", "Echo", ECHO),
             template("createdowner", "CreatedOwner", OWNER.replace("needsowner", "createdowner"), ["CREATE"])]
BOTH = [{"action": "deny", "enforcementPoints": [{"name": "validation.gatekeeper.sh"}]},
        {"action": "warn", "enforcementPoints": [{"name": "*"}]}]
CONSTRAINTS = [
    constraint("NeedsOwner", "pods", of("Pod")),
    constraint("NeedsOwner", "pods-warn", of("Pod", source="Generated"), "warn"),
    constraint("NeedsOwner", "pods-original", of("Pod", source="Original")),
    constraint("NeedsOwner", "pods-dryrun", of("Pod"), "dryrun"),
    constraint("NeedsOwner", "pods-scoped", of("Pod", namespaces=["lab"]), "scoped", BOTH),
    constraint("NeedsOwner", "pods-prod", of("Pod", namespaceSelector={"matchLabels": {"env": "prod"}})),
    constraint("NeedsOwner", "jobs", of("Job", group="batch")),
    constraint("NeedsOwner", "deployments", of("Deployment", group="apps", labelSelector={"matchLabels": {"strict": "yes"}})),
    constraint("CreatedOwner", "created", of("Pod", namespaces=["lab"])),
    constraint("Echo", "echo", of("Pod", namespaces=["other"]), "warn"),
    constraint("Echo", "echo-cluster", of("Widget"), "warn"),
]
EXPANSIONS = [
    expansion("controllers", "apps", ["Deployment", "ReplicaSet"]),
    expansion("jobs", "batch", ["Job"], action="warn"),
    expansion("cronjobs", "batch", ["CronJob"], "spec.jobTemplate", ("batch", "v1", "Job")),
    expansion("sets", "apps", ["StatefulSet"], action="dryrun"),
    expansion("daemons", "apps", ["DaemonSet"], action="deny"),
    expansion("twin-b", "example.com", ["Twin"]),
    expansion("twin-a", "example.com", ["Twin"], action="warn"),
    expansion("nowhere", "example.com", ["Odd"], "spec.nowhere"),
    expansion("deep", "example.com", ["Deep"], "spec.a.b.c"),
    expansion("widgets", "example.com", ["WidgetMaker"], makes=("", "v1", "Widget")),
    expansion("cycle-a", "example.com", ["CycleA"], makes=("example.com", "v1", "CycleB")),
    expansion("cycle-b", "example.com", ["CycleB"], makes=("example.com", "v1", "CycleC")),
    expansion("cycle-c", "example.com", ["CycleC"], makes=("example.com", "v1", "CycleA")),
    expansion("into-cycle", "example.com", ["Into"], makes=("example.com", "v1", "CycleA")),
]
PODS = [{"groups": [""], "versions": ["v1"], "kinds": ["Pod"]}]


def mutator(kind, name, spec):
    return {"apiVersion": "mutations.gatekeeper.sh/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


MUTATORS = [
    mutator("AssignMetadata", "owner", {
        "location": "metadata.labels.owner", "parameters": {"assign": {"value": "auto"}},
        "match": {"source": "Generated", "kinds": [{"apiGroups": [""], "kinds": ["Pod"]}],
                  "labelSelector": {"matchLabels": {"adopt": "yes"}}}}),
    mutator("AssignMetadata", "original", {
        "location": "metadata.labels.owner", "parameters": {"assign": {"value": "original"}},
        "match": {"source": "Original", "kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}}),
    mutator("Assign", "grace", {
        "applyTo": PODS, "match": {"source": "Generated", "namespaces": ["other"]},
        "location": "spec.terminationGracePeriodSeconds", "parameters": {"assign": {"value": 1000000}}}),
    mutator("Assign", "pull", {
        "applyTo": PODS, "match": {"source": "All"}, "location": "spec.containers[name:*].imagePullPolicy",
        "parameters": {"assign": {"value": "Always"}}}),
    mutator("Assign", "created", {
        "applyTo": [{**PODS[0], "operations": ["CREATE"]}], "match": {"source": "Generated"},
        "location": "spec.created", "parameters": {"assign": {"value": True}}}),
]

POD = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"image": "nginx", "name": "a"}]}}
OWNED = {"metadata": {"labels": {"owner": "me"}}, "spec": {"containers": []}}
ADOPTED = {"metadata": {"labels": {"adopt": "yes"}}, "spec": {"containers": []}}
NUMBERS = {"metadata": {"name": "given", "namespace": "elsewhere",
                        "ownerReferences": [{"apiVersion": "v1", "kind": "X", "name": "x", "uid": "1"}]},
           "spec": {"containers": [], "priority": 9007199254740993, "share": 1.5, "big": 3000000}}


def review(group, version, kind, name, spec, operation="CREATE", namespace="default", metadata=None, body=None, **more):
    types = {"group": group, "version": version, "kind": kind}
    made = {"apiVersion": f"{group}/{version}".lstrip("/"), "kind": kind,
            "metadata": {"name": name, **({"namespace": namespace} if namespace else {}), **(metadata or {})}, "spec": spec}
    made = body if body is not None else made
    request = {"uid": "705ab4f5-6393-11e8-b7cc-42010a800002", "kind": types,
               "resource": {"group": group, "version": version, "resource": kind.lower() + "s"}, "name": name,
               "operation": operation, "userInfo": {"username": "alice"},
               "object": None if operation == "DELETE" else made, "oldObject": made if operation in ("DELETE", "UPDATE") else None,
               "dryRun": False, **more}
    if namespace:
        request["namespace"] = namespace
    return json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request},
                      separators=(",", ":"))


def apps(kind, pod, **more):
    return review("apps", "v1", kind, "web", {"template": pod}, **more)


def custom(kind, spec, **more):
    return review("example.com", "v1", kind, "thing", spec, **more)


REVIEWS = [
    ("a Deployment's Pod is reviewed", apps("Deployment", POD)),
    ("a ReplicaSet's too", apps("ReplicaSet", POD)),
    ("one that has an owner", apps("Deployment", OWNED)),
    ("one that a mutator gives an owner", apps("Deployment", ADOPTED)),
    ("in a namespace that is scoped to and has the label", apps("Deployment", POD, namespace="lab")),
    ("in an excluded namespace", apps("Deployment", POD, namespace="ignored-1")),
    ("parent and child are denied", apps("Deployment", POD, metadata={"labels": {"strict": "yes"}})),
    ("on UPDATE", apps("Deployment", POD, operation="UPDATE", namespace="lab")),
    ("on DELETE", apps("Deployment", POD, operation="DELETE", namespace="lab")),
    ("on DELETE of one that is adopted", apps("Deployment", ADOPTED, operation="DELETE")),
    ("warnings in place of denials", review("batch", "v1", "Job", "once", {"template": POD})),
    ("a child of a child", review("batch", "v1", "CronJob", "often", {"jobTemplate": {"spec": {"template": POD}}})),
    ("a child without what the next template wants", review("batch", "v1", "CronJob", "often", {"jobTemplate": {"spec": {}}})),
    ("dry run in place of denials", apps("StatefulSet", POD)),
    ("denial in place of warnings", apps("DaemonSet", POD)),
    ("denial in place of scoped actions", apps("DaemonSet", POD, namespace="lab")),
    ("warnings in place of scoped actions", review("batch", "v1", "Job", "once", {"template": POD}, namespace="lab")),
    ("two templates", custom("Twin", {"template": POD})),
    ("a template without its source", custom("Odd", {"template": POD})),
    ("a source that is no object", custom("Deep", {"a": {"b": {"c": [1]}}})),
    ("a source below what is no object", custom("Deep", {"a": {"b": "text"}})),
    ("no spec", custom("Deep", None)),
    ("templates in a circle", custom("CycleA", {"template": {"spec": {"template": POD}}})),
    ("a template that leads into a circle", custom("Into", {"template": {"spec": {"template": POD}}})),
    ("another version", review("apps", "v1beta1", "Deployment", "web", {"template": POD})),
    ("a type that is the request's", review("apps", "v1", "Deployment", "web", {}, body={
        "apiVersion": "other/v9", "kind": "Other", "metadata": {"name": "web", "namespace": "lab"}, "spec": {"template": POD}})),
    ("what the policy sees of a child", apps("Deployment", NUMBERS, namespace="other")),
    ("what it sees on UPDATE", apps("Deployment", NUMBERS, namespace="other", operation="UPDATE")),
    ("what it sees on DELETE", apps("Deployment", NUMBERS, namespace="other", operation="DELETE")),
    ("a child of the cluster", custom("WidgetMaker", {"template": {"a": 1}}, namespace=None)),
    ("a child that cannot be mutated", apps("Deployment", {"spec": {"containers": "none"}})),
    ("a child whose labels are none", apps("Deployment", {"metadata": {"labels": "none"}, "spec": {}})),
    ("no name yet", review("apps", "v1", "Deployment", "", {}, body={
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"generateName": "web-", "namespace": "default"},
        "spec": {"template": POD}})),
    ("a Pod itself", review("", "v1", "Pod", "web", POD["spec"])),
    ("no kind at all", review("", "", "", "web", POD["spec"])),
    ("a request without a type", review("", "", "", "web", {}, body={
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "deployed"}, "spec": {"template": POD}})),
    ("an unknown namespace", apps("Deployment", POD, namespace="gone")),
]


def admission(name, spec, version="v1beta1", operation="CREATE"):
    made = {"apiVersion": f"expansion.gatekeeper.sh/{version}", "kind": "ExpansionTemplate", "metadata": {"name": name}, "spec": spec}
    return review("expansion.gatekeeper.sh", version, "ExpansionTemplate", name, {}, namespace=None, operation=operation, body=made)


GOOD = expansion("x", "apps", ["Deployment"])["spec"]
ADMISSIONS = [
    ("good", admission("x", GOOD)),
    ("of the older version", admission("x", GOOD, "v1alpha1")),
    ("of no version that there is", admission("x", GOOD, "v1")),
    ("no name", admission("", GOOD)),
    ("a name of 63", admission("x" * 63, GOOD)),
    ("a name of 64", admission("x" * 64, GOOD)),
    ("no source", admission("x", {**GOOD, "templateSource": ""})),
    ("nothing that is made", admission("x", {**GOOD, "generatedGVK": {}})),
    ("a kind is enough", admission("x", {**GOOD, "generatedGVK": {"kind": "Pod"}})),
    ("no applyTo", admission("x", {**GOOD, "applyTo": []})),
    ("applyTo that holds nothing", admission("x", {**GOOD, "applyTo": [{}]})),
    ("applies to what it makes", admission("x", {**GOOD, "generatedGVK": {"group": "apps", "version": "v1", "kind": "Deployment"}})),
    ("applies to what it makes, of the core", admission("x", {**GOOD, "applyTo": [
        {"groups": [""], "versions": ["v1"], "kinds": ["Service", "Pod"]}]})),
    ("an action that is none", admission("x", {**GOOD, "enforcementAction": "perhaps"})),
    ("no spec", admission("x", None)),
    ("one that would close a circle", admission("x", {**GOOD, "applyTo": [
        {"groups": [""], "versions": ["v1"], "kinds": ["Pod"]}],
        "generatedGVK": {"group": "apps", "version": "v1", "kind": "Deployment"}})),
    ("a bad one is deleted", admission("x", {**GOOD, "templateSource": ""}, operation="DELETE")),
]


def main():
    arguments = gatekeeper.recorder_arguments(__doc__)
    out = ROOT / "tests/cases/expansion"
    out.mkdir(parents=True, exist_ok=True)
    namespaces = [recorder.namespace(name, labels) for name, labels in recorder.NAMESPACES]
    config = {**recorder.CONFIG, "spec": {"match": [{"processes": ["webhook"], "excludedNamespaces": ["ignored-*"]}]}}
    with gatekeeper.recorded(arguments, *namespaces, config) as (plane, manager):
        plane.apply_objects(*MUTATORS, *TEMPLATES)
        manager.start(*(f"--operation={each}" for each in OPERATIONS))
        kinds = [one["spec"]["crd"]["spec"]["names"]["kind"] for one in TEMPLATES]
        harness.wait_served(plane, *kinds)
        plane.apply_objects(*CONSTRAINTS)
        plane.apply_objects(*EXPANSIONS)
        client = plane.client()
        harness.wait_until("all templates are ingested",
                           lambda: len(client.call("GET", STATUSES)[1].get("items", [])) == len(EXPANSIONS), 120, 1)
        time.sleep(15)  # Circles are told to those who came first a while later, and constraints take theirs.
        errors = []
        for one in sorted(client.call("GET", STATUSES)[1]["items"], key=lambda one: one["metadata"]["name"]):
            for error in one["status"].get("errors") or []:
                errors.append({"name": one["metadata"]["labels"]["internal.gatekeeper.sh/expansiontemplate-name"], **error})
        ask = lambda body: recorder.without_ids(manager.ask("/v1/admit", body).strip())  # noqa: E731
        reviews = [{"name": name, "body": body, "want": ask(body)} for name, body in REVIEWS]
        admissions = [{"name": name, "body": body, "want": ask(body)} for name, body in ADMISSIONS]
        head = "Written by tests/webhook/record_expansions.py:"
        recorder.write(out / "setup.yaml", f"{head} what is in force for reviews.yaml.",
                       namespaces + TEMPLATES + CONSTRAINTS + EXPANSIONS + MUTATORS)
        recorder.write(out / "reviews.yaml", f"{head} reviews, and what OPA Gatekeeper 3.23.1 answered.", [reviews])
        recorder.write(out / "admissions.yaml", f"{head} ExpansionTemplates on their way in, and what OPA Gatekeeper 3.23.1 "
                       "answered.", [admissions])
        recorder.write(out / "statuses.yaml", f"{head} errors in the statuses of the templates of setup.yaml.", [errors])
        print(f"{len(reviews)} reviews, {len(admissions)} admissions, {len(errors)} errors in statuses")


if __name__ == "__main__":
    main()
