"""kill -9 at random moments while objects change: nothing is lost, nothing is listed again that need not be."""

import json
import os
import random
import threading
import time
import unittest

import harness
from harness import INGRESS, config, ingress, wait_until

KILLS = 50 if harness.LONG else 3
OBJECTS = 20_000 if harness.LONG else 2_000
PATH = "/apis/networking.k8s.io/v1/namespaces/default/ingresses"


class Writer(threading.Thread):
    """Creates, changes and deletes its own share of the objects until it is told to stop."""

    def __init__(self, plane, number, of, seed):
        super().__init__(daemon=True)
        self.client = plane.client()
        self.names = [f"ing-{i:05d}" for i in range(number, OBJECTS, of)]
        self.random = random.Random(f"{seed}/{number}")
        self.stopping = threading.Event()
        self.writes = 0
        self.failure = None

    def run(self):
        try:
            present = set()
            for name in self.names:
                self.write("POST", PATH, ingress(name, f"{name}.example.com"))
                present.add(name)
                if self.stopping.is_set():
                    return
            while not self.stopping.is_set():
                name = self.random.choice(self.names)
                if name not in present:
                    self.write("POST", PATH, ingress(name, f"{name}.example.com"))
                    present.add(name)
                elif self.random.random() < 0.2:
                    self.write("DELETE", f"{PATH}/{name}")
                    present.discard(name)
                else:
                    host = f"{name}-{self.random.randrange(1000)}.example.com"
                    self.write("PUT", f"{PATH}/{name}", ingress(name, host, f"{name}.example.com"))
        except Exception as error:  # pylint: disable=broad-except
            self.failure = error

    def write(self, method, path, body=None):
        status, answer = self.client.call(method, path, body)
        if status not in (200, 201):
            raise AssertionError(f"{method} {path}: {status} {answer}")
        self.writes += 1


class Kill(unittest.TestCase):
    def test_the_store_equals_the_api_server_after_kills_at_random_moments(self):
        seed = os.environ.get("PORTCULLIS_SEED") or str(random.randrange(1 << 32))
        print(f"seed {seed}: {KILLS} kills, {OBJECTS} objects (PORTCULLIS_SEED={seed} repeats it)", flush=True)
        moments = random.Random(seed)
        plane = harness.ControlPlane()
        self.addCleanup(plane.wipe)
        plane.apply(harness.ROOT / "deploy/crds")
        plane.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=20s")
        plane.kubectl("create", "namespace", "gatekeeper-system")
        plane.apply_objects(config(INGRESS))
        plane.apply(harness.ROOT / "policies/unique-ingress-host/template.yaml")
        server = harness.Portcullis("--kubeconfig", plane.kubeconfig)
        self.addCleanup(server.remove)
        server.start()
        wait_until("the first list is counted", lambda: self.lists(server) == 1)
        writers = [Writer(plane, i, 4, seed) for i in range(4)]
        for writer in writers:
            writer.start()
        for number in range(KILLS):
            time.sleep(moments.uniform(0.05, 3.0))
            server.kill()
            time.sleep(moments.uniform(0, 0.5))
            server.start(wait_ready=moments.random() < 0.5)
            wait_until("the watch goes on", lambda: self.watching(server))
            self.assertEqual(self.lists(server), 0, f"restart {number} listed again")
        for writer in writers:
            writer.stopping.set()
        for writer in writers:
            writer.join()
            self.assertIsNone(writer.failure)
        server.wait_ready()
        wanted = {each["metadata"]["name"]: self.essence(each)
                  for each in plane.client().list_all(PATH)}
        wait_until("caught up", lambda: self.stored(server) == wanted, 60, 0.5)
        print(f"{sum(writer.writes for writer in writers)} writes, {len(wanted)} objects at the end", flush=True)
        check = harness.run("inventory", "check", "--data", server.data)
        self.assertEqual(check.returncode, 0, check.stdout + check.stderr)
        self.assertEqual(server.stop(), 0)
        check = harness.run("inventory", "check", "--data", server.data)
        self.assertEqual(check.returncode, 0, check.stdout + check.stderr)

    @staticmethod
    def lists(server):
        return server.metric("portcullis_replication_lists_total", kind="Ingress")

    @staticmethod
    def watching(server):
        return server.metric("portcullis_replication_synced", kind="Ingress") == 1

    @staticmethod
    def essence(item):
        # A list's items carry no apiVersion and kind.
        return json.dumps({key: value for key, value in item.items() if key not in ("apiVersion", "kind")}, sort_keys=True)

    def stored(self, server):
        ran = harness.run("inventory", "export", "--data", server.data, "--kind", "Ingress", "-o", "json")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        return {each["metadata"]["name"]: self.essence(each) for each in map(json.loads, ran.stdout.splitlines())}


if __name__ == "__main__":
    harness.main()
