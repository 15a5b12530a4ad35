"""The two policies everybody starts with, on a real API server, driven by kubectl as an operator would."""

import json
import unittest

import harness
from harness import INGRESS, SHARED, config, ingress, wait_until

LIBRARY = SHARED / "conformance/library/general"


class Cluster(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        harness.require(LIBRARY.is_dir(), "shared/conformance is not here")
        cls.plane = harness.ControlPlane()
        cls.addClassCleanup(cls.plane.wipe)
        cls.plane.apply(harness.ROOT / "deploy/crds")
        cls.plane.kubectl("create", "namespace", "gatekeeper-system")
        cls.plane.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=20s")
        cls.server = harness.Portcullis(
            "--kubeconfig", cls.plane.kubeconfig, "--cert-dir", str(cls.plane.webhook_certs))
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()
        cls.plane.apply_objects(harness.webhook_configuration(cls.plane, cls.server.address))
        cls.plane.apply_objects(config(INGRESS))
        cls.plane.apply(LIBRARY / "uniqueingresshost/template.yaml", LIBRARY / "allowedrepos/template.yaml")
        for kind in ("k8suniqueingresshost", "k8sallowedrepos"):
            crd = f"crd/{kind}.constraints.gatekeeper.sh"
            wait_until(f"{kind}'s CRD is made", lambda crd=crd: cls.plane.kubectl("get", crd, check=False).returncode == 0)
            cls.plane.kubectl("wait", "--for=condition=Established", crd, "--timeout=20s")
        cls.plane.apply_objects(
            {"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "K8sUniqueIngressHost",
             "metadata": {"name": "unique-ingress-host"},
             "spec": {"match": {"kinds": [{"apiGroups": ["extensions", "networking.k8s.io"], "kinds": ["Ingress"]}]}}},
            {"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "K8sAllowedRepos",
             "metadata": {"name": "repo-is-openpolicyagent"},
             "spec": {"match": {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]},
                      "parameters": {"repos": ["openpolicyagent/"]}}})
        # The constraint is enforced once the server's watch has delivered it.
        wait_until("K8sAllowedRepos is enforced", lambda: "invalid image repo" in cls.create(
            cls.pod("probe", "nginx"), dry_run=True).stderr)
        cls.server.wait_ready()

    @classmethod
    def create(cls, item, dry_run=False):
        arguments = ["create", "-f", "-"] + (["--dry-run=server"] if dry_run else [])
        return cls.plane.kubectl(*arguments, stdin=json.dumps(item), check=False)

    @staticmethod
    def pod(name, *images):
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"},
                "spec": {"containers": [{"name": f"c{i}", "image": image} for i, image in enumerate(images)]}}

    def assert_created(self, item):
        ran = self.create(item)
        self.assertEqual(ran.returncode, 0, ran.stderr)

    def wait_for_host(self, host, taken):
        """Until the watch has brought the store to where the host is taken, or free."""
        probe = ingress("probe", host)
        wait_until(f"{host} is {'taken' if taken else 'free'}",
                   lambda: (self.create(probe, dry_run=True).returncode != 0) == taken)

    def denial(self, *lines):
        return ('Error from server (Forbidden): error when creating "STDIN": admission webhook "validation.gatekeeper.sh" '
                "denied the request: " + "\n".join(lines) + "\n")

    def test_a_taken_host_is_refused_in_gatekeepers_words_and_deleting_its_owner_frees_it(self):
        self.assert_created(ingress("first", "shop.example.com"))
        self.wait_for_host("shop.example.com", taken=True)
        second = self.create(ingress("second", "shop.example.com"))
        self.assertEqual(second.returncode, 1)
        self.assertEqual(second.stderr, self.denial(
            "[unique-ingress-host] ingress host conflicts with an existing ingress <shop.example.com>"))
        self.assert_created(ingress("third", "other.example.com"))
        self.plane.kubectl("delete", "ingress", "first")
        self.wait_for_host("shop.example.com", taken=False)
        self.assert_created(ingress("second", "shop.example.com"))

    def test_two_taken_hosts_are_two_lines_sorted_by_text(self):
        self.assert_created(ingress("two", "b.two.example.com", "a.two.example.com"))
        self.wait_for_host("a.two.example.com", taken=True)
        ran = self.create(ingress("both", "b.two.example.com", "a.two.example.com"))
        self.assertEqual(ran.stderr, self.denial(
            "[unique-ingress-host] ingress host conflicts with an existing ingress <a.two.example.com>",
            "[unique-ingress-host] ingress host conflicts with an existing ingress <b.two.example.com>"))

    def test_an_ingress_may_be_updated_without_conflicting_with_itself(self):
        self.assert_created(ingress("own", "own.example.com"))
        self.wait_for_host("own.example.com", taken=True)
        ran = self.plane.kubectl("label", "ingress", "own", "team=a")
        self.assertEqual(ran.returncode, 0, ran.stderr)

    def test_allowed_repos_denies_and_allows_pods(self):
        bad = self.create(self.pod("bad", "nginx"), dry_run=True)
        self.assertEqual(bad.stderr, self.denial(
            '[repo-is-openpolicyagent] container <c0> has an invalid image repo <nginx>, allowed repos are '
            '["openpolicyagent/"]'))
        good = self.create(self.pod("good", "openpolicyagent/opa:1"), dry_run=True)
        self.assertEqual(good.returncode, 0, good.stderr)

    def test_a_changed_config_stops_and_starts_replication(self):
        self.assert_created(ingress("kept", "kept.example.com"))
        self.wait_for_host("kept.example.com", taken=True)
        self.plane.apply_objects(config(("", "v1", "Service")))
        self.wait_for_host("kept.example.com", taken=False)
        stats = harness.run("inventory", "stats", "--data", self.server.data, "--json")
        kinds = [each["kind"] for each in json.loads(stats.stdout)["kinds"]]
        self.assertNotIn("Ingress", kinds, stats.stdout)
        self.plane.apply_objects(config(INGRESS))
        self.wait_for_host("kept.example.com", taken=True)

    def test_the_look_up_is_by_index(self):
        self.assert_created(ingress("indexed", "indexed.example.com"))
        self.wait_for_host("indexed.example.com", taken=True)
        self.server.wait_ready()
        scans = self.server.metric("portcullis_review_scans_total")
        lookups = self.server.metric("portcullis_review_lookups_total")
        self.create(ingress("again", "indexed.example.com"))
        self.assertEqual(self.server.metric("portcullis_review_scans_total"), scans)
        self.assertGreater(self.server.metric("portcullis_review_lookups_total"), lookups)

    def test_the_inventory_commands_read_a_cluster_too(self):
        self.assert_created(ingress("listed", "listed.example.com"))
        where = ("--kubeconfig", self.plane.kubeconfig, "--resource", "networking.k8s.io/v1/Ingress")
        got = harness.run("inventory", "get", "Ingress", "listed", "-n", "default", "-o", "json", *where)
        self.assertEqual(got.returncode, 0, got.stderr)
        self.assertEqual(json.loads(got.stdout)["spec"]["rules"][0]["host"], "listed.example.com")
        unknown = harness.run("inventory", "stats", "--kubeconfig", self.plane.kubeconfig,
                              "--resource", "example.com/v1/Nothing")
        self.assertEqual(unknown.returncode, 2)
        self.assertIn("does not serve example.com/v1/Nothing", unknown.stderr)

    def test_an_object_in_a_missing_namespace_is_an_error_in_gatekeepers_words(self):
        review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
            "uid": "u1", "kind": dict(zip(("group", "version", "kind"), INGRESS)), "operation": "CREATE",
            "name": "x", "namespace": "nowhere", "userInfo": {"username": "test"},
            "object": ingress("x", "x.example.com", namespace="nowhere")}}
        status, body = self.server.admit(review)
        self.assertEqual(status, 200)
        answer = json.loads(body)["response"]
        self.assertEqual(answer["status"]["code"], 500)
        self.assertEqual(answer["status"]["message"],
                         'failed to create augmentedReview: namespaces "nowhere" not found')


if __name__ == "__main__":
    harness.main()
