"""Bad input of every kind gets the documented reply or a clear error; nothing crashes, nothing stored is lost."""

import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import unittest

import harness
from harness import INGRESS, ingress, wait_until

JSON = {"Content-Type": "application/json"}


def review(item, **request):
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u1", "kind": dict(zip(("group", "version", "kind"), INGRESS)), "operation": "CREATE",
        "name": item["metadata"]["name"], "namespace": item["metadata"].get("namespace", ""),
        "userInfo": {"username": "test"}, "object": item, **request}}


class BadRequests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="portcullis-bad-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        (cls.folder / "a.json").write_text(json.dumps(ingress("a", "a.example.com")))
        cls.server = harness.Portcullis("--source", str(cls.folder), "--policies", str(harness.ROOT / "policies"))
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()

    def tearDown(self):
        # Whatever was sent, the next good review is answered.
        status, body = self.server.admit(review(ingress("b", "a.example.com")))
        self.assertEqual(status, 200)
        self.assertFalse(json.loads(body)["response"]["allowed"], body)

    def answer(self, body, headers=None):
        status, text = self.server.request("POST", "/v1/admit", body, JSON if headers is None else headers)
        self.assertEqual(status, 200, text)
        return json.loads(text)["response"]

    def assert_refused(self, response, code):
        self.assertFalse(response["allowed"], response)
        self.assertEqual(response["status"]["code"], code, response)
        self.assertTrue(response["status"]["message"], response)

    def test_malformed_reviews(self):
        for body in ('{"apiVersion": "admission.k8s.io/v1", "kind": ', "[]", "nonsense", '"text"', "\x00\x01", "{}{}"):
            with self.subTest(body=body):
                self.assert_refused(self.answer(body), 400)

    def test_a_body_nested_too_deep(self):
        self.assert_refused(self.answer("[" * 200_000), 400)

    def test_an_empty_body(self):
        self.assert_refused(self.answer(""), 400)

    def test_a_wrong_content_type(self):
        body = json.dumps(review(ingress("x", "x.example.com")))
        for kind in ("text/plain", "application/json; charset=utf-8", "application/yaml"):
            with self.subTest(kind=kind):
                self.assert_refused(self.answer(body, {"Content-Type": kind}), 400)
        self.assert_refused(self.answer(body, {}), 400)

    def test_a_body_over_7_mib(self):
        body = json.dumps(review(ingress("x", "x.example.com", note="y" * (8 << 20))))
        # As recorded of Gatekeeper 3.23.1: the HTTP status is 200, the verdict says 413.
        response = self.answer(body)
        self.assert_refused(response, 413)
        self.assertEqual(response["status"]["message"], "request entity is too large; limit is 7340032 bytes")

    def test_unknown_kinds_are_allowed_when_no_constraint_names_them(self):
        item = {"apiVersion": "example.com/v9", "kind": "Unheard", "metadata": {"name": "x", "namespace": "default"}}
        kind = {"group": "example.com", "version": "v9", "kind": "Unheard"}
        self.assertTrue(self.answer(json.dumps(review(item, kind=kind)))["allowed"])

    def test_other_paths_and_methods(self):
        self.assertEqual(self.server.request("GET", "/v1/admit")[0], 405)
        self.assertEqual(self.server.request("GET", "/nothing")[0], 404)

    def test_bytes_that_are_no_tls_and_connections_that_go_away(self):
        host, port = self.server.address.rsplit(":", 1)
        for _ in range(20):
            with socket.create_connection((host, int(port)), timeout=5) as raw:
                raw.sendall(os.urandom(500))
        context = ssl._create_unverified_context()  # pylint: disable=protected-access
        with context.wrap_socket(socket.create_connection((host, int(port)), timeout=5)) as half:
            half.sendall(b"POST /v1/admit HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf")

    def test_a_template_that_does_not_compile_is_named_and_the_others_stay(self):
        bad = {"apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate", "metadata": {"name": "broken"},
               "spec": {"crd": {"spec": {"names": {"kind": "Broken"}}}, "targets": [
                   {"target": "admission.k8s.gatekeeper.sh", "rego": "package broken\nviolation[{\"msg\": msg}] { x }"}]}}
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "broken.json").write_text(json.dumps(bad))
            ran = harness.run("explain", "--policies", folder)
            self.assertEqual(ran.returncode, 2)
            self.assertIn("rego_unsafe_var_error", ran.stderr)
            self.assertIn("broken.json", ran.stderr)

    def test_a_constraint_without_its_template_is_named(self):
        item = {"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "Nowhere", "metadata": {"name": "lost"}}
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "lost.json").write_text(json.dumps(item))
            request = pathlib.Path(folder, "review.txt")
            request.write_text(json.dumps(review(ingress("x", "x.example.com"))))
            ran = harness.run("review", "-f", request, "--policies", folder, "--source", folder)
            self.assertIn("Nowhere", ran.stderr)


class BadSurroundings(unittest.TestCase):
    def assert_refused(self, wanted, *arguments):
        ran = harness.run(*arguments)
        self.assertEqual(ran.returncode, 2, ran.stdout + ran.stderr)
        self.assertIn(wanted, ran.stderr)

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="portcullis-bad-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def test_an_unreadable_kubeconfig(self):
        data = self.folder / "data"
        self.assert_refused("/does/not/exist", "serve", "--kubeconfig", "/does/not/exist", "--data", data,
                            "--listen", "127.0.0.1:0")
        broken = self.folder / "kubeconfig"
        broken.write_text("clusters: [")
        self.assert_refused("kubeconfig", "serve", "--kubeconfig", broken, "--data", data, "--listen", "127.0.0.1:0")
        broken.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
            "clusters": [{"name": "k", "cluster": {"server": "https://127.0.0.1:1"}}],
            "users": [{"name": "u", "user": {"exec": {"command": "login"}}}]}))
        self.assert_refused("exec", "serve", "--kubeconfig", broken, "--data", data, "--listen", "127.0.0.1:0")

    def test_an_unreadable_certificate(self):
        certs = self.folder / "certs"
        certs.mkdir()
        (certs / "tls.crt").write_text("no certificate")
        (certs / "tls.key").write_text("no key")
        self.assert_refused("tls.crt", "serve", "--source", self.folder, "--data", self.folder / "data",
                            "--cert-dir", certs, "--listen", "127.0.0.1:0")

    def test_a_store_in_use_is_refused_and_says_so(self):
        server = harness.Portcullis("--source", str(self.folder), "--policies", str(harness.ROOT / "policies"))
        self.addCleanup(server.remove)
        server.start()
        self.assert_refused("another process has the store", "serve", "--source", self.folder, "--policies", harness.ROOT / "policies",
                            "--data", server.data, "--listen", "127.0.0.1:0")

    def test_a_refused_client_certificate_of_the_api_server_shows_in_readiness_and_the_log(self):
        plane = harness.ControlPlane()
        self.addCleanup(plane.wipe)
        other = self.folder / "ca.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", str(self.folder / "ca.key"), "-out", str(other), "-subj", "/CN=other"],
                       check=True, capture_output=True)
        text = pathlib.Path(plane.kubeconfig).read_text().replace(str(plane.ca), str(other))
        (self.folder / "kubeconfig").write_text(text)
        server = harness.Portcullis("--kubeconfig", str(self.folder / "kubeconfig"))
        self.addCleanup(server.remove)
        server.start(wait_ready=False)
        wait_until("the log says why", lambda: "certificate" in server.tail())
        status, body = server.request("GET", "/readyz")
        self.assertEqual(status, 500, body)


class FullDisk(unittest.TestCase):
    """A small file system in a mount namespace of our own."""

    def test_a_full_disk_is_reported_and_what_was_stored_stays(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="portcullis-full-"))
        self.addCleanup(shutil.rmtree, folder, True)
        disk = folder / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", str(disk)],
                                 capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            # Only the superuser may mount; the store's own tests inject ENOSPC everywhere.
            self.skipTest(f"cannot mount a small file system: {mounted.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", str(disk)], check=False)
        source = folder / "source"
        source.mkdir()
        (source / "first.json").write_text(json.dumps(ingress("first", "first.example.com")))
        server = harness.Portcullis("--source", str(source), "--policies", str(harness.ROOT / "policies"),
                                    data=str(disk / "data"), log=str(folder / "log"))
        server.start()
        self.addCleanup(server.kill)
        filler = disk / "filler"
        with open(filler, "wb") as out:
            try:
                while True:
                    out.write(os.urandom(1 << 16))
                    out.flush()
            except OSError:
                pass
        (source / "more.json").write_text("\n".join(
            json.dumps(ingress(f"more-{i}", f"more-{i}.example.com", note=os.urandom(2000).hex())) for i in range(8000)))
        wait_until("the log names the full disk", lambda: "No space left" in server.tail(), 60)
        status, body = server.admit(review(ingress("x", "first.example.com")))
        self.assertEqual(status, 200)
        self.assertFalse(json.loads(body)["response"]["allowed"], body)
        filler.unlink()
        wait_until("goes on when there is room again", lambda: not json.loads(server.admit(
            review(ingress("x", "more-7999.example.com")))[1])["response"]["allowed"], 90, 0.5)


if __name__ == "__main__":
    harness.main()
