"""Without a cluster: a folder of manifests as the source, reviews from the command line, snapshots."""

import json
import pathlib
import random
import shutil
import tempfile
import unittest

import harness
from harness import ingress, wait_until
from bad_input_test import review

POLICIES = harness.ROOT / "policies"


class Embedded(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="portcullis-embedded-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.source = self.folder / "source"
        self.source.mkdir()
        for i in range(300):
            (self.source / f"{i:03}.json").write_text(json.dumps(
                ingress(f"web-{i:03}", f"h{i:03}.example.com", namespace=f"team-{i % 7}")))

    def review_file(self, host):
        path = self.folder / f"{host}.json"
        path.write_text(json.dumps(review(ingress("new", host, namespace="team-0"))))
        return path

    def serve(self):
        server = harness.Portcullis("--source", str(self.source), "--policies", str(POLICIES))
        self.addCleanup(server.remove)
        return server.start()

    def test_review_answers_and_exits_with_the_verdict(self):
        where = ("--source", self.source, "--policies", POLICIES)
        taken = harness.run("review", "-f", self.review_file("h042.example.com"), *where)
        self.assertEqual(taken.returncode, 1, taken.stderr)
        self.assertIn("[unique-ingress-host]", json.loads(taken.stdout)["response"]["status"]["message"])
        fresh = harness.run("review", "-f", self.review_file("fresh.example.com"), *where)
        self.assertEqual(fresh.returncode, 0, fresh.stderr)
        self.assertTrue(json.loads(fresh.stdout)["response"]["allowed"])
        missing = harness.run("review", "-f", self.folder / "absent.json", *where)
        self.assertEqual(missing.returncode, 2)
        self.assertIn("absent.json", missing.stderr)

    def test_changes_in_the_folder_are_followed(self):
        server = self.serve()

        def allowed(host):
            return json.loads(server.admit(review(ingress("new", host, namespace="team-0")))[1])["response"]["allowed"]

        self.assertFalse(allowed("h001.example.com"))
        (self.source / "001.json").unlink()
        wait_until("the host is free", lambda: allowed("h001.example.com"))
        (self.source / "late.json").write_text(json.dumps(ingress("late", "late.example.com", namespace="team-1")))
        wait_until("the host is taken", lambda: not allowed("late.example.com"))

    def test_a_snapshot_restored_elsewhere_gives_the_same_replies(self):
        server = self.serve()
        snapshot = self.folder / "cluster.snapshot"
        taken = harness.run("inventory", "snapshot", "--data", server.data, snapshot)
        self.assertEqual(taken.returncode, 0, taken.stderr)
        restored = self.folder / "restored"
        ran = harness.run("inventory", "restore", snapshot, "--data", restored)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        for host in ("h000.example.com", "h299.example.com", "fresh.example.com"):
            request = self.review_file(host)
            live = server.admit(request.read_text())[1]
            for where in (("--snapshot", snapshot), ("--data", restored)):
                ran = harness.run("review", "-f", request, "--policies", POLICIES, *where)
                self.assertEqual(json.loads(ran.stdout), json.loads(live), where)
        same = harness.run("inventory", "diff", snapshot, restored)
        self.assertEqual((same.returncode, same.stdout), (0, ""), same.stderr)

    def test_an_altered_snapshot_is_refused_or_of_equal_content(self):
        server = self.serve()
        snapshot = self.folder / "cluster.snapshot"
        self.assertEqual(harness.run("inventory", "snapshot", "--data", server.data, snapshot).returncode, 0)
        good = snapshot.read_bytes()
        seed = random.randrange(1 << 32)
        print(f"seed {seed}", flush=True)
        moments = random.Random(seed)
        altered = self.folder / "altered.snapshot"
        for number in range(20):
            bad = bytearray(good)
            if number % 4 == 0:
                del bad[moments.randrange(len(bad)):]
            else:
                bad[moments.randrange(len(bad))] ^= 1 << moments.randrange(8)
            altered.write_bytes(bad)
            into = self.folder / f"into-{number}"
            ran = harness.run("inventory", "restore", altered, "--data", into)
            if ran.returncode == 0:
                self.assertEqual(harness.run("inventory", "diff", snapshot, into).stdout, "")
            else:
                self.assertEqual(ran.returncode, 2)
                self.assertFalse(into.exists(), "half restored")

    def test_the_inventory_commands_read_a_running_server_and_a_folder_at_rest_alike(self):
        server = self.serve()
        commands = (
            ("stats", "--json"),
            ("list", "--kind", "Ingress", "--namespace", "team-3", "-o", "json"),
            ("get", "Ingress", "web-010", "--namespace", "team-3", "-o", "json"),
            ("query", "--kind", "Ingress", "spec.rules[_].host", '"h010.example.com"', "-o", "json"),
            ("export", "--kind", "Ingress", "-o", "json"),
        )
        live = [harness.run("inventory", *each, "--data", server.data) for each in commands]
        self.assertEqual(harness.run("inventory", "check", "--data", server.data).returncode, 0)
        self.assertEqual(server.stop(), 0)
        for command, before in zip(commands, live):
            after = harness.run("inventory", *command, "--data", server.data)
            self.assertEqual((before.returncode, before.stderr), (0, ""), command)
            if command[0] != "stats":  # Look-ups are counted since the start.
                self.assertEqual(after.stdout, before.stdout, command)
            self.assertEqual(after.returncode, 0, after.stderr)
        self.assertIn("web-010", live[2].stdout)
        self.assertIn("web-010", live[3].stdout)
        self.assertEqual(len(live[4].stdout.splitlines()), 300)

    def test_indexes_are_listed_with_their_keys_of_a_server_and_at_rest(self):
        server = self.serve()

        def hosts():
            ran = harness.run("inventory", "indexes", "--data", server.data, "--json")
            self.assertEqual(ran.returncode, 0, ran.stderr)
            return next(each for each in json.loads(ran.stdout) if each["definition"].endswith(": spec.rules[_].host"))

        wait_until("the keys are counted", lambda: hosts().get("statistics", {}).get("entries") == 300)
        server.admit(review(ingress("new", "h001.example.com", namespace="team-0")))
        live = hosts()
        self.assertEqual((live["state"], live["entries"], live["users"]), ("ready", 300, ["K8sUniqueHost"]))
        self.assertEqual(live["statistics"], {"entries": 300, "distinctKeys": 300, "frequentKeys": []})
        self.assertGreater(live["lookups"], 0)
        text = harness.run("inventory", "indexes", "--data", server.data).stdout
        self.assertRegex(text, r"spec\.rules\[_\]\.host +ready +300 +[0-9.]+ +300 +[0-9]+  K8sUniqueHost")
        self.assertEqual(server.stop(), 0)
        self.assertEqual({**hosts(), "lookups": 0, "bytes": 0}, {**live, "lookups": 0, "bytes": 0})

    def test_explain_shows_the_look_up(self):
        ran = harness.run("explain", "--policies", POLICIES, "K8sUniqueHost")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertIn("index look-up", ran.stdout)
        self.assertIn("spec.rules[_].host", ran.stdout)
        self.assertNotIn("full scan", ran.stdout)

    def test_explain_tells_the_rows_expected_and_those_of_a_review(self):
        where = ("--source", self.source, "--policies", POLICIES, "--review", self.review_file("h042.example.com"))
        ran = harness.run("explain", *where)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertRegex(ran.stdout, r"K8sUniqueHost   \{1 constraint: 1 look-up, [0-9.]+ us\}")
        self.assertRegex(
            ran.stdout, r"index look-up in namespace/\*/\*/Ingress: spec\.rules\[_\]\.host\]   about 1 row   "
            r"\{1 run: 1 look-up, 1 row, 0 bytes, [0-9.]+ us\}")  # The object is not read.
        ran = harness.run("explain", "--json", *where, "K8sUniqueHost")
        template = json.loads(ran.stdout)[0]
        self.assertEqual({**template["actual"], "microseconds": 0},
                         {"constraints": 1, "gets": 0, "lookups": 1, "scans": 0, "objects": 0, "microseconds": 0})
        step = next(each for rule in template["rules"] for each in rule["steps"] if "actual" in each)
        self.assertEqual(step["estimate"], {"rows": 1.0, "atMost": False, "scans": False})
        self.assertEqual((step["actual"]["runs"], step["actual"]["rows"], step["actual"]["bytes"]), (1, 1, 0))
        # A wildcard among the objects, which is read.
        (self.source / "wild.json").write_text(json.dumps(ingress("wild", "*.example.com", namespace="team-6")))
        ran = harness.run("explain", *where, "K8sWildcardHost")
        self.assertRegex(ran.stdout, r"about 1 row   \{1 run: 1 look-up, 1 object, 1 row, [1-9]\d* bytes, [0-9.]+ us\}")

    def scanning_policies(self):
        folder = self.folder / "scanning"
        shutil.copytree(POLICIES / "wildcard-host", folder)
        shutil.copy(POLICIES / "unique-ingress-host" / "config.yaml", folder)
        shutil.rmtree(folder / "samples")
        template = folder / "template.yaml"
        template.write_text(template.read_text().replace("portcullis.dev/indexes", "nothing"))
        return folder

    def test_a_template_that_scans_is_warned_of_and_refused(self):
        folder = self.scanning_policies()
        where = ("-f", self.review_file("fresh.example.com"), "--source", self.source, "--policies", folder)
        warned = harness.run("review", *where, "--scan-warning", "200")
        self.assertEqual(warned.returncode, 0, warned.stderr)
        self.assertRegex(warned.stderr, r"warning: ConstraintTemplate k8swildcardhost: data\.template\.violation.* scans 300 objects")
        self.assertEqual(harness.run("review", *where).stderr, "")
        refused = harness.run("review", *where, "--scan-limit", "200")
        self.assertRegex(refused.stderr, r"ConstraintTemplate k8swildcardhost: the plan scans more than the 200 objects")
        server = harness.Portcullis("--source", str(self.source), "--policies", str(folder), "--scan-warning", "200")
        self.addCleanup(server.remove)
        server.start()
        wait_until("the warning", lambda: server.metric("portcullis_template_scan_warning", template="K8sWildcardHost") == 1)
        self.assertEqual(server.metric("portcullis_template_scan_objects", template="K8sWildcardHost"), 300)
        server.admit(review(ingress("new", "h001.example.com", namespace="team-0")))
        # A range for each namespace.
        self.assertEqual(server.metric("portcullis_template_scans_total", template="K8sWildcardHost"), 7)
        snapshot = self.folder / "cluster.snapshot"
        self.assertEqual(harness.run("inventory", "snapshot", "--data", server.data, snapshot).returncode, 0)
        explained = harness.run("explain", "--data", server.data, "K8sWildcardHost")
        self.assertRegex(explained.stdout, r"\[full scan\]   scans 300 rows")
        checked = harness.run("check", folder, "--snapshot", snapshot, "--scan-limit", "299")
        self.assertEqual(checked.returncode, 1, checked.stdout)
        self.assertIn("K8sWildcardHost: the plan scans more than the 299 objects", checked.stderr)
        self.assertEqual(harness.run("check", folder, "--snapshot", snapshot).returncode, 0)
        explained = harness.run("explain", "--policies", POLICIES, "--snapshot", snapshot, "K8sWildcardHost")
        self.assertIn('declares the index namespace/*/*/Ingress: startswith(object.spec.rules[_].host, "*.")\n', explained.stdout)
        self.assertNotIn("full scan", explained.stdout)

    def test_help_has_examples_everywhere(self):
        for command in (("serve",), ("review",), ("explain",), ("inventory",), ("version",), ("completion",),
                        *(("inventory", each) for each in (
                            "stats", "indexes", "list", "get", "query", "check", "snapshot", "restore", "diff", "export"))):
            ran = harness.run(*command, "--help")
            self.assertEqual(ran.returncode, 0, command)
            self.assertIn("Example", ran.stdout, command)

    def test_completion_knows_the_commands(self):
        self.assertIn("snapshot", harness.run("__complete", "inventory").stdout.split())
        self.assertIn("--source", harness.run("__complete", "serve").stdout.split())


if __name__ == "__main__":
    harness.main()
