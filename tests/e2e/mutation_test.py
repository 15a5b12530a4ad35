"""Mutators on a real API server: kubectl creates Pods, which come out mutated, and constraints see them so."""

import base64
import http.server
import json
import ssl
import threading
import unittest

import harness
from harness import wait_until

PODS = [{"groups": [""], "versions": ["v1"], "kinds": ["Pod"]}]
OWNER = """
package owner

violation[{"msg": msg}] {
  labels := object.get(input.review.object.metadata, "labels", {})
  owner := object.get(labels, "owner", "nobody")
  owner != "platform"
  msg := sprintf("owner is %v", [owner])
}
"""


def mutator(kind, name, location, parameters, version="v1", **spec):
    spec = {"location": location, "parameters": parameters, **spec}
    if kind != "AssignMetadata":
        spec.setdefault("applyTo", PODS)
    return {"apiVersion": f"mutations.gatekeeper.sh/{version}", "kind": kind, "metadata": {"name": name}, "spec": spec}


class Provider(http.server.BaseHTTPRequestHandler):
    """Answers each key with the registry before it."""

    asked = []

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(sorted(request["request"]["keys"]))
        body = json.dumps({"apiVersion": "externaldata.gatekeeper.sh/v1beta1", "kind": "ProviderResponse", "response": {
            "idempotent": True,
            "items": [{"key": key, "value": "mirror.example/" + key} for key in request["request"]["keys"]]}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Mutation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.plane = harness.ControlPlane()
        cls.addClassCleanup(cls.plane.wipe)
        cls.plane.apply(harness.ROOT / "deploy/crds")
        cls.plane.kubectl("create", "namespace", "gatekeeper-system")
        cls.plane.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=20s")
        cls.server = harness.Portcullis(
            "--kubeconfig", cls.plane.kubeconfig, "--cert-dir", str(cls.plane.webhook_certs), "--mutation-annotations",
            "--log-mutations")
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()
        validating = harness.webhook_configuration(cls.plane, cls.server.address)
        mutating = json.loads(json.dumps(validating))
        mutating["kind"] = "MutatingWebhookConfiguration"
        mutating["webhooks"][0]["name"] = "mutation.gatekeeper.sh"
        mutating["webhooks"][0]["clientConfig"]["url"] = f"https://{cls.server.address}/v1/mutate"
        cls.plane.apply_objects(validating, mutating)

    def create(self, name, *images, **labels):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default", "labels": labels},
               "spec": {"containers": [{"name": f"c{i}", "image": image} for i, image in enumerate(images)]}}
        ran = self.plane.kubectl("create", "-f", "-", "--dry-run=server", "-o", "json", stdin=json.dumps(pod), check=False)
        return json.loads(ran.stdout) if ran.returncode == 0 else ran.stderr

    def wait_for(self, what, check):
        return wait_until(what, lambda: check(self.create("probe", "nginx")))

    def by_pod(self, kind, name):
        got = json.loads(self.plane.kubectl("get", f"{kind}.mutations.gatekeeper.sh", name, "-o", "json").stdout)
        return got.get("status", {}).get("byPod")

    def test_a_pod_comes_out_mutated_and_a_constraint_sees_it_so(self):
        self.plane.apply_objects(
            {"apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate", "metadata": {"name": "platformowner"},
             "spec": {"crd": {"spec": {"names": {"kind": "PlatformOwner"}}},
                      "targets": [{"target": "admission.k8s.gatekeeper.sh", "rego": OWNER}]}})
        wait_until("the constraint's CRD is made", lambda: self.plane.kubectl(
            "get", "crd/platformowner.constraints.gatekeeper.sh", check=False).returncode == 0)
        self.plane.kubectl("wait", "--for=condition=Established", "crd/platformowner.constraints.gatekeeper.sh")
        self.plane.apply_objects(
            {"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "PlatformOwner", "metadata": {"name": "owner"},
             "spec": {"match": {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}}})
        self.wait_for("the constraint denies", lambda pod: isinstance(pod, str) and "owner is nobody" in pod)
        self.plane.apply_objects(
            mutator("Assign", "pull", "spec.containers[name:*].imagePullPolicy", {"assign": {"value": "Always"}}),
            mutator("AssignMetadata", "owner", "metadata.labels.owner", {"assign": {"value": "platform"}},
                    match={"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}),
            mutator("ModifySet", "logs", "spec.containers[name:*].args", {"values": {"fromList": ["--log"]}}),
            mutator("AssignImage", "registry", "spec.containers[name:*].image", {"assignDomain": "registry.corp"},
                    version="v1alpha1"))
        pod = self.wait_for("all four mutators apply", lambda pod: isinstance(pod, dict) and len(
            pod["metadata"].get("annotations", {}).get("gatekeeper.sh/mutations", "").split(", ")) == 4 and pod)
        container = pod["spec"]["containers"][0]
        self.assertEqual((container["imagePullPolicy"], container["args"], container["image"]),
                         ("Always", ["--log"], "registry.corp/nginx"))
        self.assertEqual(pod["metadata"]["labels"]["owner"], "platform")
        # A label that is there is not changed, and the constraint sees it.
        self.assertIn("[owner] owner is me", self.create("own", "nginx", owner="me"))
        self.assertIn("Mutation applied", self.server.tail())
        wait_until("the status says so", lambda: (self.by_pod("assign", "pull") or [{}])[0].get("enforced"))
        self.plane.kubectl("delete", "assign,assignmetadata,modifyset,assignimage", "--all")
        self.plane.kubectl("delete", "constrainttemplate", "platformowner")
        self.wait_for("nothing is mutated any more", lambda pod: isinstance(pod, dict) and "args" not in pod["spec"]["containers"][0])

    def test_a_conflict_disables_both_and_shows_in_their_statuses(self):
        self.plane.apply_objects(
            mutator("Assign", "as-object", "spec.a.b", {"assign": {"value": 1}}),
            mutator("Assign", "as-list", "spec.a[k:v].b", {"assign": {"value": 1}}))
        text = ("the following mutators have conflicting schemas: [Assign.mutations.gatekeeper.sh /as-list,"
                "Assign.mutations.gatekeeper.sh /as-object]")
        for name in ("as-object", "as-list"):
            status = wait_until("the conflict is in the status", lambda name=name: [
                one for one in self.by_pod("assign", name) or [] if one.get("errors")])
            self.assertEqual(status[0]["errors"], [{"type": "ErrConflictingSchema", "message": text}])
            self.assertFalse(status[0].get("enforced"))
        self.plane.kubectl("delete", "assign", "as-list")
        wait_until("the other is in force", lambda: (self.by_pod("assign", "as-object") or [{}])[0].get("enforced"))
        self.plane.kubectl("delete", "assign", "as-object")

    def test_a_mutator_that_cannot_be_is_refused_in_gatekeepers_words(self):
        ran = self.plane.apply_objects(
            mutator("Assign", "bad", "metadata.labels.a", {"assign": {"value": "x"}}), check=False)
        self.assertIn('admission webhook "validation.gatekeeper.sh" denied the request: assign bad can\'t change metadata',
                      ran.stderr)

    def test_a_value_comes_from_a_provider(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.plane.webhook_certs / "tls.crt", self.plane.webhook_certs / "tls.key")
        context.verify_mode = ssl.CERT_REQUIRED  # The webhook shows what it serves with.
        context.load_verify_locations(self.plane.ca)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        bundle = base64.b64encode(self.plane.ca.read_bytes()).decode()
        self.plane.apply_objects(
            {"apiVersion": "externaldata.gatekeeper.sh/v1beta1", "kind": "Provider", "metadata": {"name": "mirror"},
             "spec": {"url": f"https://127.0.0.1:{server.server_port}/mirror", "timeout": 3, "caBundle": bundle}},
            mutator("Assign", "mirror", "spec.containers[name:*].image",
                    {"assign": {"externalData": {"provider": "mirror", "failurePolicy": "Ignore"}}}))
        self.wait_for("the provider is asked", lambda pod: isinstance(pod, dict)
                      and pod["spec"]["containers"][0]["image"] == "mirror.example/nginx")
        Provider.asked.clear()
        pod = self.create("two", "nginx", "redis")
        self.assertEqual([one["image"] for one in pod["spec"]["containers"]], ["mirror.example/nginx", "mirror.example/redis"])
        self.assertEqual(Provider.asked[0], ["nginx", "redis"])
        self.plane.kubectl("delete", "assign", "mirror")
        self.plane.kubectl("delete", "provider.externaldata.gatekeeper.sh", "mirror")


if __name__ == "__main__":
    harness.main()
