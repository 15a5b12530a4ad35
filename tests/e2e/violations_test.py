"""The audit without a cluster, and what `violations get` and `violations watch` show of it."""

import json
import pathlib
import queue
import shutil
import subprocess
import tempfile
import threading
import unittest

import harness
from audit_test import LONG, UNIQUE, config_map, constraint, template
from harness import INGRESS, config, ingress, wait_until


class Violations(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="portcullis-violations-"))
        self.addCleanup(shutil.rmtree, self.folder)
        for name in ("source", "policies"):
            (self.folder / name).mkdir()
        for item in (config(INGRESS), template("UniqueHost", UNIQUE), template("HasOwner", LONG),
                     constraint("UniqueHost", "hosts", "networking.k8s.io", "Ingress"),
                     constraint("HasOwner", "owners", "", "ConfigMap", enforcementAction="warn")):
            self.write("policies", item)
        for item in (ingress("a", "one.example", namespace="shop"), ingress("b", "one.example", namespace="shop"),
                     ingress("c", "two.example", namespace="prod"), config_map("bare"), config_map("fine", owner="me")):
            self.write("source", item)
        self.server = harness.Portcullis(
            "--source", str(self.folder / "source"), "--policies", str(self.folder / "policies"), "--audit-interval", "1",
            "--log-stats-audit")
        self.addCleanup(self.server.remove)
        self.server.start()

    def write(self, folder, item):
        path = self.folder / folder / f"{item['kind']}-{item['metadata']['name']}.json"
        path.write_text(json.dumps(item))
        return path

    def get(self, *arguments):
        ran = harness.run("violations", "get", "--data", self.server.data, *arguments)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        return [json.loads(line) for line in ran.stdout.splitlines()]

    def logged(self, *parts):
        lines = pathlib.Path(self.server.log_path).read_text().splitlines()
        return next((json.loads(line) for line in lines if all(part in line for part in parts)), None)

    def test_get_shows_one_constraint_whole(self):
        hosts = wait_until("both are there", lambda: len(self.get("UniqueHost/hosts")) == 2 and self.get("UniqueHost/hosts"))
        self.assertEqual(hosts[0], {
            "constraint": {"kind": "UniqueHost", "name": "hosts"},
            "object": {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "namespace": "shop", "name": "a"},
            "enforcementAction": "deny", "message": "one.example is taken by shop/b", "details": {"holder": "b"}})
        self.assertEqual([each["object"]["name"] for each in hosts], ["a", "b"])
        self.assertEqual(self.get("UniqueHost/hosts", "--namespace", "prod"), [])
        self.assertEqual(self.get("UniqueHost/nothing"), [])
        # Kinds that are not replicated are read from the folder.
        owners = wait_until("the ConfigMap is there", lambda: self.get("HasOwner/owners"))
        self.assertEqual([each["object"]["name"] for each in owners], ["bare"])
        self.assertEqual(owners[0]["enforcementAction"], "warn")
        self.assertGreater(len(owners[0]["message"]), 300)
        # At rest it is what it was.
        self.server.stop()
        self.assertEqual(self.get("UniqueHost/hosts"), hosts)
        self.assertEqual(self.get("HasOwner/owners"), owners)

    def test_get_wants_one_constraint(self):
        for arguments, complaint in ((["UniqueHost"], "name a constraint as KIND/NAME"), ([], "CONSTRAINT is required")):
            ran = harness.run("violations", "get", "--data", self.server.data, *arguments)
            self.assertNotEqual(ran.returncode, 0)
            self.assertIn(complaint, ran.stderr)

    def test_watch_shows_what_comes_and_goes(self):
        wait_until("both are there", lambda: len(self.get("UniqueHost/hosts")) == 2)
        watching = subprocess.Popen(
            [harness.PROGRAM, "violations", "watch", "--data", self.server.data, "--constraint", "UniqueHost", "--interval",
             "0.05"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (watching.kill(), watching.communicate()))
        lines = queue.Queue()
        threading.Thread(target=lambda: [lines.put(line.split()) for line in watching.stdout], daemon=True).start()

        def signs(count):
            """The sign and the object of the next lines, sorted. The message of a line names the other one."""
            found = [lines.get(timeout=20) for _ in range(count)]
            return sorted((line[0], next(word for word in line if word.split("/")[-1] in ("a", "b", "c", "d"))) for line in found)

        self.assertIn("CONSTRAINT", lines.get(timeout=20))
        first = signs(2)
        self.assertEqual([(sign, name[-1]) for sign, name in first], [("+", "a"), ("+", "b")])
        late = self.write("source", ingress("d", "two.example", namespace="prod"))
        self.assertEqual([(sign, name[-1]) for sign, name in signs(2)], [("+", "c"), ("+", "d")])
        late.unlink()
        self.assertEqual([(sign, name[-1]) for sign, name in signs(2)], [("-", "c"), ("-", "d")])
        self.server.stop()
        self.assertNotEqual(watching.wait(20), 0)

    def test_an_audit_of_a_folder_is_told_of(self):
        line = wait_until("an audit ended", lambda: self.logged('"audit_finished"'))
        self.assertEqual(line["process"], "audit")
        bare = wait_until("the violation is logged", lambda: self.logged('"violation_audited"', '"resource_name":"bare"'))
        self.assertEqual((bare["constraint_name"], bare["constraint_action"]), ("owners", "warn"))
        self.assertTrue(self.logged('"violation_audited"', '"constraint_name":"hosts"', '"resource_namespace":"shop"'))
        wait_until("the metric tells", lambda: self.server.metric("gatekeeper_violations", enforcement_action="deny") == 2
                   and self.server.metric("gatekeeper_violations", enforcement_action="warn") == 1)
        stats = self.logged('"audit review request stats"', '"HasOwner"')
        self.assertEqual(stats["event_type"], "audit_stats")
        entry = stats["execution_stats"][0]
        self.assertEqual((entry["scope"], entry["statsFor"], entry["stats"][1]["value"]), ("template", "HasOwner", 1))
        self.assertEqual([label["name"] for label in entry["labels"]], ["TracingEnabled", "PrintEnabled", "target"])
        # What goes is forgotten.
        (self.folder / "source" / "ConfigMap-bare.json").unlink()
        wait_until("it is not listed", lambda: not self.get("HasOwner/owners"))


if __name__ == "__main__":
    harness.main()
