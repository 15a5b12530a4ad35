"""The audit on a real API server: status of constraints, violations by change, objects that are not replicated, Events."""

import json
import re
import unittest

import harness
from harness import INGRESS, config, ingress, wait_until

UNIQUE = """package p
violation[{"msg": msg, "details": {"holder": name}}] {
  host := input.review.object.spec.rules[_].host
  other := data.inventory.namespace[ns][_].Ingress[name]
  other.spec.rules[_].host == host
  [ns, name] != [input.review.object.metadata.namespace, input.review.object.metadata.name]
  msg := sprintf("%v is taken by %v/%v", [host, ns, name])
}
"""
LONG = """package p
violation[{"msg": msg}] {
  not input.review.object.metadata.labels.owner
  msg := sprintf("%v %v", [input.review.object.metadata.name, concat("", [x | numbers.range(1, 300)[_]; x := "x"])])
}
"""


def template(kind, rego):
    return {
        "apiVersion": "templates.gatekeeper.sh/v1",
        "kind": "ConstraintTemplate",
        "metadata": {"name": kind.lower()},
        "spec": {"crd": {"spec": {"names": {"kind": kind}}},
                 "targets": [{"target": "admission.k8s.gatekeeper.sh", "rego": rego}]},
    }


def constraint(kind, name, group, of, **spec):
    return {"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": kind, "metadata": {"name": name},
            "spec": {"match": {"kinds": [{"apiGroups": [group], "kinds": [of]}]}, **spec}}


def config_map(name, **labels):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default", "labels": labels}}


class Audit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.plane = harness.ControlPlane()
        cls.addClassCleanup(cls.plane.wipe)
        installed = harness.run("install", "--print")
        assert installed.returncode == 0, installed.stderr
        cls.plane.kubectl("apply", "-f", "-", stdin=installed.stdout)
        cls.plane.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        cls.plane.kubectl("create", "namespace", "gatekeeper-system", check=False)
        cls.server = harness.Portcullis(
            "--kubeconfig", cls.plane.kubeconfig, "--cert-dir", str(cls.plane.webhook_certs), "--pod-name", "portcullis-0",
            "--audit-interval", "2", "--constraint-violations-limit", "3", "--emit-audit-events").start()
        cls.addClassCleanup(cls.server.remove)
        cls.plane.apply_objects(config(INGRESS), template("UniqueHost", UNIQUE), template("HasOwner", LONG))
        for kind in ("uniquehost", "hasowner"):
            wait_until(f"{kind} is served", lambda k=kind: cls.plane.kubectl("get", k, check=False).returncode == 0)
        cls.plane.apply_objects(
            constraint("UniqueHost", "hosts", "networking.k8s.io", "Ingress"),
            constraint("HasOwner", "owners", "", "ConfigMap", enforcementAction="warn"))

    def status(self, kind, name):
        ran = self.plane.kubectl("get", kind, name, "-o", "json", check=False)
        return json.loads(ran.stdout).get("status", {}) if ran.returncode == 0 else {}

    def listed(self, *arguments):
        ran = harness.run("violations", "list", "--data", self.server.data, "-o", "json", *arguments)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        return [json.loads(line) for line in ran.stdout.splitlines()]

    def test_replicated_objects(self):
        self.plane.apply_objects(ingress("a", "one.example"), ingress("b", "one.example"))
        # By change, without an audit.
        found = wait_until("both are listed", lambda: len(self.listed("--constraint", "UniqueHost")) == 2
                           and self.listed("--constraint", "UniqueHost/hosts", "--namespace", "default"))
        self.assertEqual(found[0], {
            "constraint": {"kind": "UniqueHost", "name": "hosts"},
            "object": {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "namespace": "default", "name": "a"},
            "enforcementAction": "deny", "message": "one.example is taken by default/b", "details": {"holder": "b"}})
        status = wait_until("the status tells", lambda: self.status("uniquehost", "hosts").get("totalViolations") == 2
                            and self.status("uniquehost", "hosts"))
        self.assertRegex(status["auditTimestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(status["violations"], [
            {"group": "networking.k8s.io", "version": "v1", "kind": "Ingress", "name": name, "namespace": "default",
             "message": f"one.example is taken by default/{other}", "enforcementAction": "deny"}
            for name, other in (("b", "a"), ("a", "b"))])
        self.plane.kubectl("delete", "ingress", "b")
        wait_until("none is listed", lambda: not self.listed("--constraint", "UniqueHost"))
        status = wait_until("the status is empty", lambda: self.status("uniquehost", "hosts").get("totalViolations") == 0
                            and self.status("uniquehost", "hosts"))
        self.assertNotIn("violations", status)

    def test_objects_that_are_not_replicated(self):
        self.plane.apply_objects(*(config_map(f"m{i}") for i in range(5)), config_map("fine", owner="me"))
        mine = ("--constraint", "HasOwner", "--namespace", "default")
        wait_until("they are listed", lambda: len([v for v in self.listed(*mine) if v["object"]["name"][0] == "m"]) == 5)
        total = len(self.listed("--constraint", "HasOwner"))
        status = wait_until("the status tells", lambda: self.status("hasowner", "owners").get("totalViolations") == total
                            and self.status("hasowner", "owners"))
        shown = status["violations"]
        self.assertEqual(len(shown), 3)
        keys = [(v.get("namespace", ""), v["name"]) for v in shown]
        self.assertEqual(keys, sorted(keys, reverse=True))
        self.assertTrue(all(len(v["message"]) == 256 and v["message"].endswith("...") for v in shown), shown)
        # The list has it whole.
        self.assertTrue(all(len(v["message"]) > 300 for v in self.listed(*mine)))
        gauge = wait_until("the metric tells",
                           lambda: self.server.metric("gatekeeper_violations", enforcement_action="warn") == total)
        self.assertTrue(gauge)
        for name in ("gatekeeper_audit_last_run_time", "gatekeeper_audit_last_run_end_time",
                     "gatekeeper_audit_duration_seconds_count"):
            self.assertGreater(self.server.metric(name), 0, name)
        events = wait_until("Events are there", lambda: [
            e for e in json.loads(self.plane.kubectl("get", "events", "-n", "gatekeeper-system", "-o", "json").stdout)["items"]
            if e["involvedObject"]["name"] == "m1"])
        event = events[0]
        self.assertEqual((event["reason"], event["type"], event["source"]["component"]),
                         ("AuditViolation", "Warning", "gatekeeper-audit"))
        self.assertTrue(event["message"].startswith("Resource Namespace: default, Constraint: owners, Message: m1 xxx"))
        self.assertEqual(event["involvedObject"]["uid"], "ConfigMap/default/m1/HasOwner//owners")
        self.assertEqual(event["metadata"]["annotations"]["constraint_action"], "warn")
        # One that goes is forgotten by the next audit.
        self.plane.kubectl("delete", "configmap", "m0")
        wait_until("it is not listed", lambda: "m0" not in [v["object"]["name"] for v in self.listed(*mine)])

    def test_log_lines(self):
        self.plane.apply_objects(config_map("logged"))

        def line():
            with open(self.server.log_path, encoding="utf-8", errors="replace") as log:
                for text in log:
                    if '"violation_audited"' in text and '"resource_name":"logged"' in text:
                        return json.loads(text)
            return None

        found = wait_until("the violation is logged", line)
        self.assertEqual({k: found[k] for k in (
            "process", "constraint_kind", "constraint_name", "constraint_action", "resource_kind", "resource_namespace",
            "constraint_group", "constraint_api_version", "details")}, {
                "process": "audit", "constraint_kind": "HasOwner", "constraint_name": "owners",
                "constraint_action": "warn", "resource_kind": "ConfigMap", "resource_namespace": "default",
                "constraint_group": "constraints.gatekeeper.sh", "constraint_api_version": "v1beta1", "details": {}})
        self.assertTrue(re.match(r"\d{4}-", found["audit_id"]))

    def logged(self, *parts):
        with open(self.server.log_path, encoding="utf-8", errors="replace") as log:
            return next((json.loads(text) for text in log if all(part in text for part in parts)), None)

    def test_a_traced_review(self):
        with_traces = config(INGRESS)
        with_traces["spec"]["validation"] = {"traces": [
            {"user": "alice", "kind": {"group": "networking.k8s.io", "version": "v1", "kind": "Ingress"}, "dump": "All"}]}
        self.plane.apply_objects(with_traces, ingress("traced", "traced.example"))
        review = harness.ingress_review("traced.example")
        review["request"]["userInfo"] = {"username": "alice"}

        def traced():
            self.assertEqual(self.server.admit(review)[0], 200)
            return self.logged("Trace:", "Eval data.hooks.violation", "traced.example is taken by default/traced")

        trace = wait_until("the trace is logged", traced)
        self.assertTrue(trace["msg"].startswith("Target: admission.k8s.gatekeeper.sh\nTrace:\nDRIVER Rego:\n\n"), trace)
        dump = self.logged("DRIVER: Rego:")
        engine = json.loads(dump["msg"].removeprefix("DRIVER: Rego:"))["admission.k8s.gatekeeper.sh"]
        self.assertEqual(sorted(engine["modules"]), ["HasOwner", "UniqueHost"])
        self.assertGreater(engine["data"]["objects"]["networking.k8s.io/v1/Ingress"], 0)


if __name__ == "__main__":
    harness.main()
