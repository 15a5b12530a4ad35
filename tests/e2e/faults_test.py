"""The API server away, refusing, cutting and lying: reviews go on, the lag shows, and the replica catches up by itself."""

import json
import pathlib
import tempfile
import threading
import time
import unittest

import harness
from fault_proxy import FaultProxy
from harness import INGRESS, SHARED, config, ingress, wait_until

LIBRARY = SHARED / "conformance/library/general/uniqueingresshost"


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        harness.require(LIBRARY.is_dir(), "shared/conformance is not here")
        cls.plane = harness.plane_with_crds(cls)
        cls.proxy = FaultProxy(cls.plane)
        cls.addClassCleanup(cls.proxy.close)
        folder = pathlib.Path(tempfile.mkdtemp(dir=cls.plane.state))
        cls.server = harness.serve(cls, cls.plane, kubeconfig=cls.proxy.kubeconfig(folder / "config"))
        cls.plane.apply_objects(config(INGRESS))
        cls.plane.apply(LIBRARY / "template.yaml")
        harness.wait_served(cls.plane, "k8suniqueingresshost")
        cls.plane.apply_objects({
            "apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "K8sUniqueIngressHost",
            "metadata": {"name": "unique"},
            "spec": {"match": {"kinds": [{"apiGroups": ["networking.k8s.io"], "kinds": ["Ingress"]}]}}})
        cls.plane.apply_objects(ingress("owner", "taken.example.com"))
        wait_until("the host is taken", lambda: not cls.allows("taken.example.com"))

    def setUp(self):
        self.proxy.faults.clear()
        self.addCleanup(self.proxy.faults.clear)

    @classmethod
    def allows(cls, host):
        status, body = cls.server.admit(harness.ingress_review(host))
        assert status == 200, body
        response = json.loads(body)["response"]
        assert response["status"]["code"] in (200, 403), body
        return response["allowed"]

    def while_broken(self, host, faults, seconds=3.0):
        """Breaks, changes the cluster behind the server's back, and watches that reviews go on; then mends and waits."""
        stop, answers = threading.Event(), []

        def ask():
            while not stop.is_set():
                answers.append(self.allows("taken.example.com"))

        self.proxy.faults[:] = faults
        self.proxy.cut_all()
        reviewer = threading.Thread(target=ask)
        reviewer.start()
        try:
            self.plane.apply_objects(ingress(host.split(".")[0], host))
            time.sleep(seconds)  # For as long as the fault is to last.
            self.assertTrue(self.allows(host), "the change came through: nothing was broken")
        finally:
            self.proxy.faults.clear()
            stop.set()
            reviewer.join()
        self.assertGreater(len(answers), 10)
        self.assertNotIn(True, answers)
        wait_until("it catches up", lambda: not self.allows(host), 40)
        self.server.wait_ready()

    def is_watch(self, path):
        return "watch=" in path and "/ingresses" in path

    def test_an_api_server_that_is_away(self):
        before = self.lag()
        self.while_broken("away.example.com", [lambda method, path: "reset"], seconds=6)
        self.assertLess(before, 90)

    def test_the_lag_grows_while_nothing_is_heard(self):
        self.proxy.faults[:] = [lambda method, path: "reset"]
        self.proxy.cut_all()
        first = self.lag()
        wait_until("the lag grows", lambda: self.lag() > first + 2)
        self.proxy.faults.clear()
        wait_until("and shrinks", lambda: self.lag() < 2, 40)

    def test_policies_whose_data_is_too_old_claim_no_verdict(self):
        for action, code in (("error", 500), ("warn", 299)):
            folder = pathlib.Path(tempfile.mkdtemp(dir=self.plane.state))
            server = harness.Portcullis(
                "--kubeconfig", self.proxy.kubeconfig(folder / "config"), "--cert-dir", str(self.plane.webhook_certs),
                "--max-inventory-lag", "5", "--stale-inventory", action)
            self.addCleanup(server.remove)
            server.start()

            def ask(server=server):
                return json.loads(server.admit(harness.ingress_review("taken.example.com"))[1])["response"]

            # A quiet watch is heard of once a minute, which is beyond this limit.
            def fresh(action=action):
                self.plane.kubectl("annotate", "--overwrite", "ingress", "owner", f"touched={time.monotonic_ns()}-{action}")
                return ask()["status"]["code"] == 403

            wait_until("the host is taken", fresh, pause=0.5)
            self.proxy.faults[:] = [lambda method, path: "reset"]
            self.proxy.cut_all()
            stale = wait_until("the data is too old", lambda: ask()["status"]["code"] == code and ask())
            text = "[unique] not evaluated: networking.k8s.io/v1/Ingress was last heard of "
            self.assertIn(text, stale["status"]["message"] if action == "error" else stale["warnings"][0])
            self.assertGreater(server.metric("portcullis_review_stale_constraints_total"), 0)
            self.assertEqual(server.metric("portcullis_stale_templates"), 1)
            self.proxy.faults.clear()
            wait_until("it is fresh again", fresh, 40, pause=0.5)
            log = pathlib.Path(server.log_path).read_text()
            self.assertIn("a template's data is too old", log)
            self.assertIn("a template's data is fresh again", log)

    def lag(self):
        return self.server.metric("portcullis_replication_lag_seconds", kind="Ingress")

    def test_429_with_retry_after(self):
        self.while_broken("busy.example.com", [lambda method, path: 429 if "/ingresses" in path else None])

    def test_410_to_every_watch(self):
        self.while_broken("gone.example.com", [lambda method, path: 410 if "/ingresses" in path else None])

    def test_500_to_lists_and_watches(self):
        self.while_broken("error.example.com", [lambda method, path: 500 if "/ingresses" in path else None])

    def test_an_error_event_in_the_watch(self):
        event = (b'{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired",'
                 b'"message":"too old resource version","code":410}}\n')
        once = [event]

        def fault(method, path):
            return once.pop() if once and self.is_watch(path) else None

        self.proxy.faults[:] = [fault]
        self.proxy.cut_all()
        wait_until("the event was sent", lambda: not once, 40)
        self.plane.apply_objects(ingress("listed", "listed.example.com"))
        wait_until("it listed again", lambda: not self.allows("listed.example.com"), 40)

    def test_a_watch_that_is_cut_in_the_middle_of_an_event(self):
        half = [b'{"type":"ADDED","object":{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"na']

        def fault(method, path):
            return half.pop() if half and self.is_watch(path) else None

        self.proxy.faults[:] = [fault]
        self.proxy.cut_all()
        wait_until("half an event was sent", lambda: not half, 40)
        self.plane.apply_objects(ingress("whole", "whole.example.com"))
        wait_until("the whole came", lambda: not self.allows("whole.example.com"), 40)

    def test_what_was_deleted_meanwhile_goes(self):
        self.plane.apply_objects(ingress("short", "short.example.com"))
        wait_until("taken", lambda: not self.allows("short.example.com"))
        self.proxy.faults[:] = [lambda method, path: 410 if self.is_watch(path) else ("reset" if "/ingresses" in path else None)]
        self.proxy.cut_all()
        self.plane.kubectl("delete", "ingress", "short")
        time.sleep(1)  # The deletion's event would have come by now.
        self.assertFalse(self.allows("short.example.com"))
        self.proxy.faults.clear()
        wait_until("free", lambda: self.allows("short.example.com"), 40)


if __name__ == "__main__":
    harness.main()
