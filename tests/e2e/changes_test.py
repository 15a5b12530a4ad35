"""Templates, constraints and Config change while reviews go on: each verdict is right for the policy before or after the change."""

import http.client
import json
import ssl
import threading
import unittest

import harness
from harness import INGRESS, SHARED, config, ingress, wait_until

LIBRARY = SHARED / "conformance/library/general/uniqueingresshost"
ROUNDS = 100 if harness.LONG else 12


def saying(word):
    return {
        "apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate", "metadata": {"name": "saysword"},
        "spec": {"crd": {"spec": {"names": {"kind": "SaysWord"}}}, "targets": [{
            "target": "admission.k8s.gatekeeper.sh",
            "rego": f'package p\nviolation[{{"msg": "{word}"}}] {{ input.review.object.kind == "Ingress" }}\n'}]}}


class Reviewer(threading.Thread):
    """Asks for one verdict after the other over one connection, and keeps those that are none of the right ones."""

    def __init__(self, address, host, right):
        super().__init__(daemon=True)
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.connection = http.client.HTTPSConnection(*address.rsplit(":", 1), context=context, timeout=20)
        self.body = json.dumps(harness.ingress_review(host))
        self.right = right
        self.wrong = []
        self.seen = {}
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.is_set():
            self.connection.request("POST", "/v1/admit", self.body, {"Content-Type": "application/json"})
            response = json.loads(self.connection.getresponse().read())["response"]
            verdict = response["status"].get("message", "")
            self.seen[verdict] = self.seen.get(verdict, 0) + 1
            if verdict not in self.right and len(self.wrong) < 10:
                self.wrong.append(response)

    def stop(self):
        self.stopped.set()
        self.join()
        self.connection.close()


class Changes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        harness.require(LIBRARY.is_dir(), "shared/conformance is not here")
        cls.plane = harness.plane_with_crds(cls)
        cls.server = harness.serve(cls, cls.plane)
        cls.plane.apply_objects(config(INGRESS), saying("one"))
        cls.plane.apply(LIBRARY / "template.yaml")
        harness.wait_served(cls.plane, "saysword", "k8suniqueingresshost")
        cls.match = {"kinds": [{"apiGroups": ["networking.k8s.io"], "kinds": ["Ingress"]}]}
        cls.plane.apply_objects(cls.constraint("SaysWord", "word"), cls.constraint("K8sUniqueIngressHost", "unique"),
                                ingress("owner", "taken.example.com"))
        cls.taken = "[unique] ingress host conflicts with an existing ingress <taken.example.com>"
        wait_until("both deny", lambda: cls.verdict("taken.example.com") == "\n".join([cls.taken, "[word] one"]))

    @classmethod
    def constraint(cls, kind, name, **spec):
        return {"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": kind, "metadata": {"name": name},
                "spec": {"match": cls.match, **spec}}

    @classmethod
    def verdict(cls, host):
        return json.loads(cls.server.admit(harness.ingress_review(host))[1])["response"]["status"].get("message", "")

    def change(self, right, *steps):
        """Goes through the steps again and again; each is awaited: (objects, verdict)."""
        reviewers = [Reviewer(self.server.address, "taken.example.com", right) for _ in range(2)]
        for each in reviewers:
            each.start()
        try:
            for _ in range(ROUNDS):
                for objects, verdict in steps:
                    self.plane.apply_objects(*objects)
                    if verdict is not None:
                        wait_until(f"{verdict} is in force", lambda verdict=verdict:
                                   self.verdict("taken.example.com") == verdict, 20, 0.01)
        finally:
            for each in reviewers:
                each.stop()
        for each in reviewers:
            self.assertEqual(each.wrong, [])
            self.assertGreater(sum(each.seen.values()), 10 * ROUNDS)
        return {verdict for each in reviewers for verdict in each.seen}

    def test_two_templates_take_turns(self):
        one, two = "\n".join([self.taken, "[word] one"]), "\n".join([self.taken, "[word] two"])
        seen = self.change({one, two}, ([saying("two")], two), ([saying("one")], one))
        self.assertEqual(seen, {one, two})

    def test_config_changes_and_the_inventory_is_never_empty(self):
        right = "\n".join([self.taken, "[word] one"])
        services = ("", "v1", "Service")
        quiet = config(INGRESS, services)
        quiet["spec"]["match"] = [{"processes": ["sync"], "excludedNamespaces": ["quiet"]}]
        self.change({right}, ([config(INGRESS, services)], None), ([quiet], None), ([config(INGRESS)], None))

    def test_a_constraint_changes_its_action(self):
        both, word = "\n".join([self.taken, "[word] one"]), "[word] one"
        seen = self.change(
            {both, word},
            ([self.constraint("K8sUniqueIngressHost", "unique", enforcementAction="dryrun")], word),
            ([self.constraint("K8sUniqueIngressHost", "unique")], both))
        self.assertEqual(seen, {both, word})


if __name__ == "__main__":
    harness.main()
