"""A real Gatekeeper beside a control plane, for what records or compares its answers: its CRDs, and its manager."""

import argparse
import contextlib
import os
import pathlib
import socket
import ssl
import subprocess
import tempfile
import urllib.request

import harness

NAMESPACE = "gatekeeper-system"
# What the manager takes itself for.
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "gk", "namespace": NAMESPACE},
       "spec": {"containers": [{"name": "manager", "image": "gatekeeper"}]}}


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def install(plane, manifest, *kinds):
    """The objects of these kinds in Gatekeeper's deploy/gatekeeper.yaml, of which CustomResourceDefinition is one."""
    import yaml  # Only where Gatekeeper itself is run.

    documents = list(yaml.safe_load_all(pathlib.Path(manifest).read_text(encoding="utf-8")))
    wanted = [each for each in documents if each and each["kind"] in kinds]
    plane.kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump_all(wanted))
    plane.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")


class Manager:
    """The manager itself, outside of the cluster; its log lies with the state of the control plane."""

    def __init__(self, plane, program, pod="gk"):
        self.plane = plane
        self.program = program
        self.pod = pod
        self.log = open(os.path.join(plane.state, "gatekeeper.log"), "wb")
        self.process = None
        self.address = None
        self.context = ssl.create_default_context()
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE

    def start(self, *arguments):
        """Returns the webhook's address once the manager is ready."""
        port, health = free_port(), free_port()
        cache = tempfile.mkdtemp(dir=self.plane.state)
        self.process = subprocess.Popen(
            [self.program, "--kubeconfig", self.plane.kubeconfig, "--host=127.0.0.1", f"--port={port}",
             f"--health-addr=127.0.0.1:{health}", f"--prometheus-port={free_port()}", "--metrics-addr=0",
             f"--cert-dir={self.plane.webhook_certs}", "--disable-cert-rotation", "--shutdown-delay=0",
             f"--api-cache-dir={cache}", *arguments],
            stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL,
            env={**os.environ, "POD_NAME": self.pod, "POD_NAMESPACE": NAMESPACE})

        def ready():
            with urllib.request.urlopen(f"http://127.0.0.1:{health}/readyz", timeout=2) as answer:
                return answer.status == 200

        harness.wait_until("Gatekeeper is ready", ready, 120)
        self.address = f"127.0.0.1:{port}"
        return self.address

    def ask(self, path, body):
        request = urllib.request.Request(f"https://{self.address}{path}", body.encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, context=self.context, timeout=20) as answer:
            return answer.read().decode()

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()

    def remove(self):
        self.stop()
        self.log.close()


def recorder_arguments(description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manager", required=True)
    parser.add_argument("--manifests", required=True)
    return parser.parse_args()


@contextlib.contextmanager
def recorded(arguments, *objects):
    """A control plane with these objects, and a manager that is still to be started; both are gone at the end."""
    plane = harness.ControlPlane()
    manager = None
    try:
        install(plane, arguments.manifests, "CustomResourceDefinition")
        # Without the labels of the manifest's, which forbid a pod like this.
        plane.apply_objects({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": NAMESPACE}}
        plane.apply_objects(account, POD, *objects)
        manager = Manager(plane, arguments.manager)
        yield plane, manager
    finally:
        if manager:
            manager.remove()
        plane.wipe()
