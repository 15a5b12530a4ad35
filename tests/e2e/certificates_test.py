"""The webhook's certificate in a cluster: made into the Secret, trusted by the webhook configurations, renewed while serving."""

import base64
import json
import ssl
import socket
import unittest

import harness
from audit_test import LONG, config_map, constraint, template
from harness import wait_until

VALIDATING = "gatekeeper-validating-webhook-configuration"
MUTATING = "gatekeeper-mutating-webhook-configuration"
SECRET = "gatekeeper-webhook-server-cert"


class Certificates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.plane = harness.plane_with_crds(cls)
        cls.server = cls.serve()
        cls.plane.apply_objects(template("HasOwner", LONG))
        harness.wait_served(cls.plane, "hasowner")
        cls.plane.apply_objects(constraint("HasOwner", "owners", "", "ConfigMap"))

    @classmethod
    def serve(cls, *arguments):
        server = harness.Portcullis("--kubeconfig", cls.plane.kubeconfig, "--pod-name", "certificates", *arguments)
        cls.addClassCleanup(server.remove)
        return server.start()

    def configurations(self, address):
        """Of Gatekeeper's names, without a caBundle."""
        validating = harness.webhook_configuration(self.plane, address)
        validating["metadata"]["name"] = VALIDATING
        validating["webhooks"][0]["rules"][0]["resources"] = ["configmaps"]
        mutating = json.loads(json.dumps(validating).replace("/v1/admit", "/v1/mutate"))
        mutating.update(kind="MutatingWebhookConfiguration")
        mutating["metadata"]["name"] = MUTATING
        mutating["webhooks"][0].update(name="mutation.gatekeeper.sh")
        for each in (validating, mutating):
            del each["webhooks"][0]["clientConfig"]["caBundle"]
        return validating, mutating

    def bundle(self, kind, name):
        read = json.loads(self.plane.kubectl("get", kind, name, "-o", "json").stdout)
        return base64.b64decode(read["webhooks"][0]["clientConfig"].get("caBundle", ""))

    def secret(self):
        read = json.loads(self.plane.kubectl("get", "secret", SECRET, "-n", "gatekeeper-system", "-o", "json").stdout)
        return {key: base64.b64decode(value) for key, value in read["data"].items()}

    def served(self, server, authority):
        """What the server shows to a client that trusts the authority alone."""
        context = ssl.create_default_context(cadata=authority.decode())
        host, port = server.address.rsplit(":", 1)
        try:
            with context.wrap_socket(socket.create_connection((host, int(port)), 5), server_hostname="localhost") as tls:
                return ssl.DER_cert_to_PEM_cert(tls.getpeercert(True))
        except ssl.SSLCertVerificationError:
            return None

    def denied(self):
        ran = self.plane.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(config_map("bare")), check=False)
        return 'admission webhook "validation.gatekeeper.sh" denied the request: [owners]' in ran.stderr

    def test_made_trusted_and_made_anew(self):
        first = wait_until("the Secret is there", self.secret)
        wait_until("it is served", lambda: self.served(self.server, first["ca.crt"]) == first["tls.crt"].decode())
        self.plane.apply_objects(*self.configurations(self.server.address))
        for kind, name in (("validatingwebhookconfiguration", VALIDATING), ("mutatingwebhookconfiguration", MUTATING)):
            wait_until("the bundle is there", lambda: self.bundle(kind, name) == first["ca.crt"], 40)
        # The API server trusts it.
        wait_until("an object is denied", self.denied, 20)
        # Another replica takes it over, and makes none of its own.
        other = self.serve()
        wait_until("it is shared", lambda: self.served(other, first["ca.crt"]) == first["tls.crt"].decode())
        self.assertEqual(self.secret(), first)
        # What is lost is made anew, and served without a restart.
        self.plane.kubectl("delete", "secret", SECRET, "-n", "gatekeeper-system")
        second = wait_until("there is another", lambda: self.plane.kubectl(
            "get", "secret", SECRET, "-n", "gatekeeper-system", check=False).returncode == 0 and self.secret(), 40)
        self.assertNotEqual(second["ca.crt"], first["ca.crt"])
        for server in (self.server, other):
            wait_until("it is served", lambda s=server: self.served(s, second["ca.crt"]) == second["tls.crt"].decode(), 40)
        wait_until("the bundle follows", lambda: self.bundle("validatingwebhookconfiguration", VALIDATING) == second["ca.crt"], 40)
        wait_until("an object is denied again", self.denied, 20)
        # A bundle that somebody changes is put right.
        self.plane.apply_objects(*self.configurations("127.0.0.1:1"))
        self.plane.kubectl("patch", "validatingwebhookconfiguration", VALIDATING, "--type=json", "-p", json.dumps([
            {"op": "replace", "path": "/webhooks/0/clientConfig/caBundle",
             "value": base64.b64encode(first["ca.crt"]).decode()}]))
        wait_until("it is put right", lambda: self.bundle("validatingwebhookconfiguration", VALIDATING) == second["ca.crt"], 40)

    def test_disabled_it_writes_nothing(self):
        server = self.serve("--disable-cert-rotation", "--cert-service-name", "elsewhere")
        self.assertIsNone(self.served(server, wait_until("the Secret is there", self.secret)["ca.crt"]))
        self.assertNotIn("cert-rotation", server.tail())


if __name__ == "__main__":
    harness.main()
