"""The same steps of kubectl with Portcullis and with Gatekeeper: every reply and every status is to be the same.

What Gatekeeper replied is recorded in parity/gatekeeper.json. To record it again:
  PORTCULLIS_GATEKEEPER=…/gatekeeper-manager PORTCULLIS_GATEKEEPER_MANIFEST=…/deploy/gatekeeper.yaml python3 parity_test.py --record
The manager is built from its Go module, github.com/open-policy-agent/gatekeeper/v3@v3.23.1; the manifest lies in the module.
"""

import json
import os
import pathlib
import re
import sys
import time
import unittest
import urllib.request

import gatekeeper
import harness
from parity.steps import AUDITED, GATEKEEPER_NAMESPACE, STEPS

RECORDED = pathlib.Path(__file__).parent / "parity" / "gatekeeper.json"
# Where Portcullis is meant to reply otherwise: the step's name, and why (docs/compatibility.md has the same).
DIFFERENT = {
    "status of constrainttemplate badempty": "the text lists the engines that there are, and CEL is not run",
}


class Gatekeeper(gatekeeper.Manager):
    def __init__(self, plane):
        super().__init__(plane, os.environ["PORTCULLIS_GATEKEEPER"], pod="gatekeeper")

    def install(self):
        gatekeeper.install(self.plane, os.environ["PORTCULLIS_GATEKEEPER_MANIFEST"], "Namespace", "CustomResourceDefinition")

    def start(self, *arguments):
        return super().start("--exempt-namespace=exempt", "--debug-use-fake-pod", "--default-create-vap-for-templates=false",
                             "--default-create-vap-binding-for-constraints=false", *arguments)


class Portcullis:
    def __init__(self, plane):
        self.plane = plane
        self.server = harness.Portcullis(
            "--kubeconfig", plane.kubeconfig, "--cert-dir", str(plane.webhook_certs), "--exempt-namespace=exempt",
            "--lenient-templates", "--pod-name=no-pod")  # Gatekeeper's fake pod is called so.
        self.arguments = self.server.arguments

    def install(self):
        installed = harness.run("install", "--print")
        self.plane.kubectl("apply", "--server-side", "-f", "-", stdin=installed.stdout)
        self.plane.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")

    def start(self, *arguments):
        self.server.arguments = [*self.arguments, *arguments]
        self.server.start()
        return self.server.address

    def stop(self):
        self.server.stop()

    def remove(self):
        self.server.remove()


def webhooks(plane, address):
    configuration = harness.webhook_configuration(plane, address)
    configuration["metadata"]["name"] = "gatekeeper-validating-webhook-configuration"
    first = configuration["webhooks"][0]
    first["rules"] = [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE", "DELETE", "CONNECT"],
                       "resources": ["*", "pods/exec", "deployments/scale"]}]
    first["namespaceSelector"]["matchExpressions"].append(
        {"key": "admission.gatekeeper.sh/ignore", "operator": "DoesNotExist"})
    first["matchPolicy"] = "Exact"
    label = json.loads(json.dumps(first))
    label["name"] = "check-ignore-label.gatekeeper.sh"
    label["clientConfig"]["url"] = label["clientConfig"]["url"].replace("/v1/admit", "/v1/admitlabel")
    label["rules"] = [{"apiGroups": [""], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"],
                       "resources": ["namespaces"]}]
    label["namespaceSelector"]["matchExpressions"].pop()
    configuration["webhooks"].append(label)
    return configuration


def normal(text):
    """Without what differs from run to run."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UID", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME", text)
    return re.sub(r"127\.0\.0\.1:\d+", "ADDRESS", text)


def without_descriptions(schema):
    """Their words are not an interface."""
    if isinstance(schema, list):
        return [without_descriptions(each) for each in schema]
    if isinstance(schema, dict):
        return {key: without_descriptions(value) for key, value in schema.items()
                if not (key == "description" and isinstance(value, str))}
    return schema


class Run:
    """All steps on a control plane of their own."""

    def __init__(self, engine):
        self.plane = harness.ControlPlane()
        self.engine = engine(self.plane)

    def namespaced(self, kind):
        return ["-n", GATEKEEPER_NAMESPACE] if kind == "config" else []

    def read(self, kind, name):
        ran = self.plane.kubectl("get", kind, name, *self.namespaced(kind), "-o", "json", check=False)
        return json.loads(ran.stdout) if ran.returncode == 0 else None

    def is_settled(self, kind, name):
        found = self.read(kind, name)
        by_pod = ((found or {}).get("status") or {}).get("byPod") or []
        return bool(by_pod) and by_pod[0].get("observedGeneration") == found["metadata"]["generation"]

    def reply(self, step):
        if "status" in step:
            found = self.read(*step["status"]) or {}
            return {"status": found.get("status")}
        if "events" in step:
            shown = self.events(step["events"])
            return {"events": [{k: v for k, v in e.items() if k != "count"} for e in shown] if "uncounted" in step else shown}
        if "crd" in step:
            crd = self.read("crd", step["crd"])
            metadata = crd["metadata"]
            return {"labels": metadata.get("labels"), "owners": metadata.get("ownerReferences"),
                    "spec": without_descriptions(crd["spec"])}
        arguments, text = list(step["do"]), None
        if "objects" in step:
            arguments += ["-f", "-"]
            text = json.dumps({"apiVersion": "v1", "kind": "List", "items": step["objects"]}
                              if len(step["objects"]) > 1 else step["objects"][0])
        ran = self.plane.kubectl(*arguments, stdin=text, check=False)
        # kubectl waits for nothing here, and cannot know that the API server has the kind by now.
        return {"exit": ran.returncode, "out": ran.stdout, "err": ran.stderr}

    def events(self, name):
        """Those about objects of this name, without what differs from run to run."""
        listed = json.loads(self.plane.kubectl("get", "events", "-A", "-o", "json").stdout)["items"]
        shown = []
        for event in listed:
            if event["involvedObject"].get("name") == name:
                metadata = event.pop("metadata")
                for field in ("resourceVersion", "firstTimestamp", "lastTimestamp", "eventTime"):
                    event.pop(field, None)
                event["involvedObject"].pop("resourceVersion", None)
                event["where"] = [metadata["namespace"], re.sub(r"\.[0-9a-f]+$", ".TIME", metadata["name"])]
                annotations = event["annotations"] = metadata.get("annotations") or {}
                # Gatekeeper has them in the order of a map.
                actions = annotations.get("constraint_enforcement_actions", "").split(",")
                annotations["constraint_enforcement_actions"] = ",".join(sorted(actions))
                shown.append(event)
        return sorted(shown, key=lambda e: (e["where"], e["reason"], e["message"]))

    def step(self, step):
        until = step.get("until", "")
        until = (until,) if isinstance(until, str) else until
        deadline = time.monotonic() + 20
        while True:
            reply = json.loads(normal(json.dumps(self.reply(step), sort_keys=True)))
            text = json.dumps(reply)
            if "mask" in step:
                text = re.sub(step["mask"], "MASKED", text)
                reply = json.loads(text)
            # A CRD that is just being made is not served yet.
            unserved = "no matches for kind" in text and "no template" not in step["name"]
            if (all(each in text for each in until) and not unserved) or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        if "settle" in step:
            harness.wait_until(f"{step['name']}: settled", lambda: self.is_settled(*step["settle"]), 30, 0.1)
        if "gone" in step:
            kind, name = step["gone"]
            harness.wait_until(f"{name}'s status is gone", lambda: f"-{name.replace('-', '--')}" not in self.plane.kubectl(
                "get", "constraintpodstatuses", "-n", GATEKEEPER_NAMESPACE, "-o", "name", check=False).stdout, 30, 0.1)
        return reply

    def some(self, steps, *arguments):
        address = self.engine.start(*arguments)
        try:
            self.plane.apply_objects(webhooks(self.plane, address))
            time.sleep(1)  # The API server takes a moment to see a webhook configuration; nothing tells when it has.
            return {step["name"]: self.step(step) for step in steps}
        finally:
            self.engine.stop()

    def all(self):
        try:
            self.engine.install()
            return {**self.some(STEPS, "--audit-interval=0", "--emit-admission-events"),
                    **self.some(AUDITED, "--audit-interval=1", "--emit-admission-events", "--emit-audit-events",
                                "--admission-events-involved-namespace", "--audit-events-involved-namespace")}
        finally:
            self.engine.remove()
            self.plane.wipe()


class Parity(unittest.TestCase):
    maxDiff = None

    def test_names_tell_steps_apart_and_there_are_enough(self):
        names = [step["name"] for step in STEPS + AUDITED]
        self.assertEqual(len(set(names)), len(names), sorted(n for n in names if names.count(n) > 1))
        self.assertGreater(len(names), 60)
        self.assertLessEqual(set(DIFFERENT), set(names))

    def compare(self, have, want):
        for step in STEPS + AUDITED:
            name = step["name"]
            with self.subTest(name):
                if name in DIFFERENT:
                    self.assertNotEqual(have[name], want[name], "it is the same now: take it off the list")
                else:
                    self.assertEqual(have[name], want[name])

    def test_every_reply_is_gatekeepers(self):
        self.compare(Run(Portcullis).all(), json.loads(RECORDED.read_text()))

    def test_the_recording_is_what_gatekeeper_replies(self):
        if "PORTCULLIS_GATEKEEPER" not in os.environ:
            self.skipTest("PORTCULLIS_GATEKEEPER is not set: the recording stands for it")
        have, want = Run(Gatekeeper).all(), json.loads(RECORDED.read_text())
        for name, reply in want.items():
            with self.subTest(name):
                self.assertEqual(have[name], reply)


if __name__ == "__main__":
    if "--record" in sys.argv:
        RECORDED.write_text(json.dumps(Run(Gatekeeper).all(), indent=1, ensure_ascii=False) + "\n")
        sys.exit(0)
    harness.main()
