"""What an operator reads of the policies: status.byPod, created, errors, and the *PodStatus objects behind them."""

import json
import unittest

import harness
from harness import INGRESS, config, wait_until



def template(kind, rego, **parameters):
    return {
        "apiVersion": "templates.gatekeeper.sh/v1",
        "kind": "ConstraintTemplate",
        "metadata": {"name": kind.lower()},
        "spec": {
            "crd": {"spec": {"names": {"kind": kind}, "validation": {
                "openAPIV3Schema": {"type": "object", "properties": parameters}}}},
            "targets": [{"target": "admission.k8s.gatekeeper.sh", "rego": rego}],
        },
    }


def constraint(kind, name, action=None, **parameters):
    spec = {"match": {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}}
    if parameters:
        spec["parameters"] = parameters
    if action:
        spec["enforcementAction"] = action
    return {"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": kind, "metadata": {"name": name}, "spec": spec}


GOOD = 'package p\nviolation[{"msg": "no"}] { input.review.object.metadata.labels.bad }\n'
BAD = 'package p\nviolation[{"msg": msg}] { true }\n'


class Status(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.plane = harness.plane_with_crds(cls)
        cls.server = harness.serve(cls, cls.plane, "--pod-name=portcullis-0", "--scan-warning=2",
                                   "--disable-opa-builtin={http.send}")

    def get(self, *names):
        ran = self.plane.kubectl("get", *names, "-o", "json", check=False)
        return json.loads(ran.stdout) if ran.returncode == 0 else None

    def status(self, *names):
        found = self.get(*names)
        return (found or {}).get("status", {})

    def by_pod(self, *names):
        return self.status(*names).get("byPod") or []

    def apply_kind(self, kind, rego=GOOD, **parameters):
        self.plane.apply_objects(template(kind, rego, **parameters))
        harness.wait_served(self.plane, kind.lower())

    def test_a_good_template_and_its_constraint_say_so(self):
        self.apply_kind("GoodKind")
        created = wait_until("the template is created", lambda: self.status("constrainttemplate", "goodkind").get("created"))
        self.assertIs(created, True)
        entry = self.by_pod("constrainttemplate", "goodkind")[0]
        uid = self.get("constrainttemplate", "goodkind")["metadata"]["uid"]
        self.assertEqual(entry["id"], "portcullis-0")
        self.assertEqual(entry["templateUID"], uid)
        self.assertEqual(entry["observedGeneration"], 1)
        self.assertNotIn("errors", entry)
        self.assertEqual(entry["operations"], sorted(entry["operations"]))

        self.plane.apply_objects(constraint("GoodKind", "one-of-it"))
        entry = wait_until("the constraint has a status", lambda: self.by_pod("goodkind", "one-of-it"))[0]
        self.assertEqual(entry["id"], "portcullis-0")
        self.assertIs(entry["enforced"], True)
        self.assertNotIn("errors", entry)
        statuses = self.get("constraintpodstatuses", "-n", "gatekeeper-system")["items"]
        mine = [s for s in statuses if s["metadata"]["labels"]["internal.gatekeeper.sh/constraint-name"] == "one-of-it"]
        self.assertEqual([s["metadata"]["name"] for s in mine], ["portcullis--0-goodkind-one--of--it"])
        self.assertEqual(mine[0]["status"], entry)

        self.plane.kubectl("delete", "goodkind", "one-of-it")
        wait_until("its status goes", lambda: not self.get(
            "constraintpodstatus", "-n", "gatekeeper-system", "portcullis--0-goodkind-one--of--it"))

    def test_a_template_that_does_not_compile_names_code_and_text(self):
        self.plane.apply_objects(template("BadKind", BAD))
        entry = wait_until("the template has a status", lambda: self.by_pod("constrainttemplate", "badkind"))[0]
        self.assertEqual(entry["errors"], [{
            "code": "ingest_error",
            "message": "Could not ingest Rego: unable to compile modules: 1 error occurred: template:2: "
                       "rego_unsafe_var_error: var msg is unsafe"}])
        self.assertIs(self.status("constrainttemplate", "badkind")["created"], False)
        # Mended, it says so.
        self.apply_kind("BadKind")
        wait_until("created", lambda: self.status("constrainttemplate", "badkind").get("created"))
        entry = self.by_pod("constrainttemplate", "badkind")[0]
        self.assertNotIn("errors", entry)
        self.assertEqual(entry["observedGeneration"], 2)

    def test_a_builtin_that_is_disabled_as_manifests_write_it_is_unknown(self):
        self.plane.apply_objects(template("Sends", 'package p\nviolation[{"msg": "no"}] { http.send({}) }\n'))
        entry = wait_until("the template has a status", lambda: self.by_pod("constrainttemplate", "sends"))[0]
        self.assertEqual(entry["errors"][0]["code"], "ingest_error")
        self.assertTrue(entry["errors"][0]["message"].endswith("rego_type_error: undefined function http.send"), entry)

    def test_a_good_template_replaced_by_a_bad_one_stays_in_force(self):
        self.apply_kind("Replaced")
        self.plane.apply_objects(constraint("Replaced", "kept"))
        wait_until("enforced", lambda: self.by_pod("replaced", "kept"))
        self.plane.apply_objects(template("Replaced", BAD))
        wait_until("the error shows", lambda: self.by_pod("constrainttemplate", "replaced")[0].get("errors"))
        entry = self.by_pod("replaced", "kept")[0]
        self.assertIs(entry["enforced"], True)
        self.assertNotIn("errors", entry)

    def test_a_schema_that_a_constraint_fails_is_told_of_the_constraint(self):
        self.apply_kind("Narrowed", limit={"type": "integer"})
        self.plane.apply_objects(constraint("Narrowed", "loose", limit=3))
        wait_until("enforced", lambda: self.by_pod("narrowed", "loose"))
        self.plane.apply_objects(template("Narrowed", GOOD, limit={"type": "string"}))
        entry = wait_until("the error shows", lambda: [
            e for e in self.by_pod("narrowed", "loose") if e.get("errors")])[0]
        self.assertIs(entry["enforced"], True)
        self.assertEqual(entry["errors"][0]["code"], "")
        self.assertTrue(entry["errors"][0]["message"].startswith(
            "could not cache constraint: schema validation failed: "), entry)

    def test_a_template_that_scans_too_much_is_warned_of_and_stays_created(self):
        self.plane.apply_objects(config(INGRESS))
        self.apply_kind("Scanning", 'package p\nviolation[{"msg": name}] {\n'
                        '  data.inventory.namespace[_][_].Ingress[name].spec.rules[_].host != input.review.name\n}\n')
        wait_until("created", lambda: self.status("constrainttemplate", "scanning").get("created"))
        self.assertNotIn("errors", self.by_pod("constrainttemplate", "scanning")[0])
        self.plane.apply_objects(*[harness.ingress(f"scanned-{i}", f"{i}.example.com") for i in range(3)])
        entry = wait_until("the warning shows", lambda: [
            e for e in self.by_pod("constrainttemplate", "scanning") if e.get("errors")])[0]
        self.assertEqual([e["code"] for e in entry["errors"]], ["scan_warning"])
        self.assertTrue(entry["errors"][0]["message"].startswith(
            "the plan scans more than the 2 objects of --scan-warning: data.template.violation"), entry)
        self.assertIs(self.status("constrainttemplate", "scanning")["created"], True)
        self.plane.kubectl("delete", "ingress", "--all")
        wait_until("the warning goes", lambda: "errors" not in self.by_pod("constrainttemplate", "scanning")[0])

    def test_config_has_a_status(self):
        self.plane.apply_objects(config(INGRESS))
        entry = wait_until("Config has a status", lambda: self.by_pod("config", "config", "-n", "gatekeeper-system"))[0]
        found = self.get("config", "config", "-n", "gatekeeper-system")
        self.assertEqual(entry["configUID"], found["metadata"]["uid"])
        self.assertEqual(entry["id"], "portcullis-0")

    def test_two_pods_are_folded_by_id_and_what_a_pod_left_is_swept(self):
        self.apply_kind("Shared")
        second = harness.Portcullis("--kubeconfig", self.plane.kubeconfig, "--cert-dir", str(self.plane.webhook_certs),
                                    "--pod-name=portcullis-1").start()
        try:
            entries = wait_until("both pods tell", lambda: len(self.by_pod("constrainttemplate", "shared")) == 2
                                 and self.by_pod("constrainttemplate", "shared"))
            self.assertEqual([e["id"] for e in entries], ["portcullis-0", "portcullis-1"])
            second.stop()
            self.plane.kubectl("delete", "constrainttemplate", "shared")
            left = "portcullis--1-shared"
            self.assertIsNotNone(self.get("constrainttemplatepodstatus", "-n", "gatekeeper-system", left))
            second.start()
            wait_until("what the second left is swept", lambda: not self.get(
                "constrainttemplatepodstatus", "-n", "gatekeeper-system", left))
        finally:
            second.remove()

    def test_a_status_that_somebody_deletes_is_written_again(self):
        self.apply_kind("Deleted")
        name = ("constrainttemplatepodstatus", "-n", "gatekeeper-system", "portcullis--0-deleted")
        first = wait_until("a status", lambda: self.get(*name))
        self.plane.kubectl("delete", *name)
        again = wait_until("written again", lambda: self.get(*name))
        self.assertNotEqual(first["metadata"]["uid"], again["metadata"]["uid"])


if __name__ == "__main__":
    harness.main()
