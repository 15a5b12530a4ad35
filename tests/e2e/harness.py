"""What the end-to-end tests stand on: a control plane, the portcullis server, kubectl, and a client for bulk writes."""

import base64
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get("PORTCULLIS_SHARED", ROOT.parent / "shared"))
PROGRAM = os.environ.get("PORTCULLIS_PROGRAM", str(ROOT / "build/release/portcullis"))
LONG = bool(os.environ.get("PORTCULLIS_LONG"))


def require(condition, reason):
    """Skips where a user's machine lacks something; in CI everything must be there."""
    if condition:
        return
    if os.environ.get("CI"):
        raise AssertionError(reason)
    raise unittest.SkipTest(reason)


def wait_until(what, check, seconds=30.0, pause=0.05):
    """Calls `check` until it returns something true, which is returned."""
    deadline = time.monotonic() + seconds
    last = None
    while time.monotonic() < deadline:
        try:
            last = check()
            if last:
                return last
        except (OSError, http.client.HTTPException, subprocess.CalledProcessError) as error:
            last = error
        time.sleep(pause)
    raise AssertionError(f"{what}: not within {seconds} s; last: {last!r}")


class ControlPlane:
    """A real etcd and kube-apiserver of its own."""

    def __init__(self):
        self.state = tempfile.mkdtemp(prefix="portcullis-e2e-")
        started = subprocess.run(
            [str(ROOT / "script/control-plane"), "start", self.state], capture_output=True, text=True, check=False
        )
        if started.returncode != 0:
            raise AssertionError(f"the control plane did not start: {started.stderr}")
        self.kubeconfig = started.stdout.strip()
        pki = pathlib.Path(self.state) / "pki"
        self.ca = pki / "ca.crt"
        self.webhook_certs = pathlib.Path(self.state) / "webhook-certs"
        self.server = re.search(r"https://([^\"]+)", pathlib.Path(self.kubeconfig).read_text()).group(1)
        self.tls = ssl.create_default_context(cafile=str(self.ca))
        self.tls.load_cert_chain(str(pki / "admin.crt"), str(pki / "admin.key"))

    def wipe(self):
        subprocess.run([str(ROOT / "script/control-plane"), "wipe", self.state], check=False)

    def kubectl(self, *arguments, stdin=None, check=True):
        ran = subprocess.run(
            ["kubectl", "--kubeconfig", self.kubeconfig, *arguments],
            input=stdin, capture_output=True, text=True, check=False,
        )
        if check and ran.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(arguments)}: {ran.stderr}")
        return ran

    def apply(self, *paths):
        arguments = ["apply"]
        for path in paths:
            arguments += ["-f", str(path)]
        return self.kubectl(*arguments)

    def apply_objects(self, *objects, check=True):
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        return self.kubectl("apply", "-f", "-", stdin=text, check=check)

    def client(self):
        return ApiClient(self)


class ApiClient:
    """One kept connection to the API server, for writes faster than kubectl's."""

    def __init__(self, plane):
        self.plane = plane
        host, port = plane.server.split(":")
        self.connection = http.client.HTTPSConnection(host, int(port), context=plane.tls, timeout=60)

    def call(self, method, path, body=None, content_type="application/json"):
        payload = None if body is None else json.dumps(body)
        self.connection.request(method, path, payload, {"Content-Type": content_type})
        answer = self.connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None

    def list_all(self, path):
        items, token = [], ""
        while True:
            status, page = self.call("GET", f"{path}?limit=5000&continue={token}")
            if status != 200:
                raise AssertionError(f"list {path}: {status} {page}")
            items += page["items"]
            token = page["metadata"].get("continue", "")
            if not token:
                return items


class Portcullis:
    """The server under test, as a child process."""

    def __init__(self, *arguments, data=None, log=None):
        self.arguments = list(arguments)
        self.data = data or tempfile.mkdtemp(prefix="portcullis-data-")
        self.log_path = log or os.path.join(self.data, "..", os.path.basename(self.data) + ".log")
        self.process = None
        self.address = None

    def start(self, wait_ready=True, listen="127.0.0.1:0"):
        log = open(self.log_path, "ab")
        offset = log.tell()
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "--data", self.data, "--listen", listen, *self.arguments],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL,
        )
        log.close()

        def serving():
            if self.process.poll() is not None:
                raise AssertionError(f"serve ended with {self.process.returncode}:\n{self.tail()}")
            with open(self.log_path, "rb") as read:
                read.seek(offset)
                found = re.search(rb'"msg":"serving".*?"address":"([^"]+)"', read.read())
            return found and found.group(1).decode()

        self.address = wait_until("serve listens", serving)
        if wait_ready:
            self.wait_ready()
        return self

    def tail(self):
        return pathlib.Path(self.log_path).read_text(errors="replace")[-4000:]

    def request(self, method, path, body=None, headers=None, timeout=20):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        host, port = self.address.rsplit(":", 1)
        connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()

    def is_ready(self):
        return self.request("GET", "/readyz")[0] == 200

    def wait_ready(self, seconds=60):
        try:
            wait_until("ready", self.is_ready, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.request('GET', '/readyz')}\n{self.tail()}") from None

    def metric(self, name, **labels):
        """The sum of the series of `name` that have these labels."""
        total = 0.0
        for line in self.request("GET", "/metrics")[1].splitlines():
            found = re.match(r"^(\w+)(\{(.*)\})? (\S+)", line)
            if not found or found.group(1) != name:
                continue
            have = dict(re.findall(r'(\w+)="([^"]*)"', found.group(3) or ""))
            if all(have.get(key) == value for key, value in labels.items()):
                total += float(found.group(4))
        return total

    def admit(self, review, **headers):
        text = review if isinstance(review, (str, bytes)) else json.dumps(review)
        status, body = self.request("POST", "/v1/admit", text, {"Content-Type": "application/json", **headers})
        return status, body

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("serve did not stop within 30 s of SIGTERM") from None
        return self.process.returncode if self.process else None

    def remove(self):
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.data, ignore_errors=True)


def plane_with_crds(test):
    """A control plane with the CRDs of the policy kinds, wiped when the class of tests is done."""
    plane = ControlPlane()
    test.addClassCleanup(plane.wipe)
    plane.kubectl("apply", "--server-side", "-f", "-", stdin=run("install", "--print").stdout)
    plane.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    return plane


def serve(test, plane, *arguments, kubeconfig=None):
    """A server that follows the cluster, removed when the class of tests is done."""
    server = Portcullis("--kubeconfig", kubeconfig or plane.kubeconfig, "--cert-dir", str(plane.webhook_certs), *arguments)
    test.addClassCleanup(server.remove)
    return server.start()


def wait_served(plane, *kinds):
    """Until the API server has these kinds of constraints."""
    for kind in kinds:
        wait_until(f"{kind} is served", lambda kind=kind: plane.kubectl("get", kind, check=False).returncode == 0)


def ingress_review(host):
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u", "operation": "CREATE", "name": "probe", "namespace": "default", "object": ingress("probe", host),
        "kind": {"group": "networking.k8s.io", "version": "v1", "kind": "Ingress"}}}


def run(*arguments, stdin=None):
    """Runs the portcullis program to its end."""
    return subprocess.run([PROGRAM, *map(str, arguments)], input=stdin, capture_output=True, text=True, check=False)


def webhook_configuration(plane, address, failure_policy="Fail"):
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "portcullis"},
        "webhooks": [{
            "name": "validation.gatekeeper.sh",
            "clientConfig": {
                "url": f"https://{address}/v1/admit",
                "caBundle": base64.b64encode(plane.ca.read_bytes()).decode(),
            },
            "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"],
                       "resources": ["*"]}],
            "namespaceSelector": {"matchExpressions": [
                {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["gatekeeper-system"]}]},
            "sideEffects": "None",
            "admissionReviewVersions": ["v1", "v1beta1"],
            "failurePolicy": failure_policy,
            "timeoutSeconds": 3,
        }],
    }


def ingress(name, *hosts, namespace="default", **labels):
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"rules": [{"host": host, "http": {"paths": [{
            "path": "/", "pathType": "Prefix",
            "backend": {"service": {"name": "web", "port": {"number": 80}}}}]}} for host in hosts]},
    }


def config(*kinds):
    return {
        "apiVersion": "config.gatekeeper.sh/v1alpha1",
        "kind": "Config",
        "metadata": {"name": "config", "namespace": "gatekeeper-system"},
        "spec": {"sync": {"syncOnly": [dict(zip(("group", "version", "kind"), kind)) for kind in kinds]}},
    }


INGRESS = ("networking.k8s.io", "v1", "Ingress")


def main():
    if not pathlib.Path(PROGRAM).exists():
        sys.exit(f"{PROGRAM} does not exist: run script/build")
    unittest.main(verbosity=2)
