"""What an operator does with Gatekeeper, step by step: kubectl calls whose replies are compared between Gatekeeper and Portcullis.

A step is a dictionary:
  name      what it is about, told apart by this
  do        arguments of kubectl; "-f -" is added where `objects` is there
  objects   manifests for standard input
  settle    (kind, name): wait until the pods' statuses have seen the object as it is now
  until     text: repeat the step until its reply has it (a watch has to bring it first)
  status    (kind, name): the reply is the status of this object, without what differs from run to run
  events    name: the reply is the Events about objects of this name, by namespace, reason and message
  uncounted True: without how often they were repeated, because an audit comes again and again
"""

GATEKEEPER_NAMESPACE = "gatekeeper-system"
DRY = ["create", "--dry-run=server"]


def template(kind, rego, *, version="v1", parameters=None, name=None, libs=None, code=None, targets=None, legacy=None,
             names=None, operations=None):
    validation = {}
    if parameters is not None:
        validation["openAPIV3Schema"] = {"type": "object", "properties": parameters}
    if legacy is not None:
        validation["legacySchema"] = legacy
    target = {"target": "admission.k8s.gatekeeper.sh"}
    if code is not None:
        target["code"] = code
    else:
        target["rego"] = rego
    if libs:
        target["libs"] = libs
    if operations:
        target["operations"] = operations
    crd = {"names": {"kind": kind} if names is None else names}
    if validation:
        crd["validation"] = validation
    return {
        "apiVersion": f"templates.gatekeeper.sh/{version}",
        "kind": "ConstraintTemplate",
        "metadata": {"name": name or kind.lower()},
        "spec": {"crd": {"spec": crd}, "targets": [target] if targets is None else targets},
    }


def constraint(kind, name, action=None, match=None, parameters=None, **spec):
    spec = dict(spec)
    if action is not None:
        spec["enforcementAction"] = action
    if match is not None:
        spec["match"] = match
    if parameters is not None:
        spec["parameters"] = parameters
    return {"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def configmap(name, namespace="shop", labels=None, data=None, generate=False):
    metadata = {"generateName" if generate else "name": name, "namespace": namespace}
    if labels:
        metadata["labels"] = labels
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data or {}}


def namespace(name, **labels):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def pod(name, labels=None, image="nginx"):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop", "labels": labels or {}},
            "spec": {"containers": [{"name": "c", "image": image}]}}


def deployment(name, replicas):
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "shop"},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
                     "template": {"metadata": {"labels": {"app": name}},
                                  "spec": {"containers": [{"name": "c", "image": "nginx"}]}}}}


CONFIGMAPS = {"kinds": [{"apiGroups": [""], "kinds": ["ConfigMap"]}]}

SAYS = """package says
violation[{"msg": msg, "details": {"name": input.review.name}}] {
  msg := sprintf("%v says %v of %v", [input.review.operation, input.parameters.word, input.review.name])
}
"""
LABEL = """package label
violation[{"msg": msg}] {
  wanted := input.parameters.labels[_]
  not input.review.object.metadata.labels[wanted]
  msg := sprintf("label %v is missing", [wanted])
}
"""
UNIQUE = """package unique
violation[{"msg": msg}] {
  value := input.review.object.data.host
  other := data.inventory.namespace[ns]["v1"]["ConfigMap"][name]
  other.data.host == value
  not same(ns, name)
  msg := sprintf("host %v is that of %v/%v", [value, ns, name])
}
same(ns, name) { ns == input.review.namespace; name == input.review.name }
"""
WORD = {"word": {"type": "string"}}


def says(name, match, action=None, word="no", **spec):
    return constraint("Says", name, action=action, match=match, parameters={"word": word}, **spec)


def policy(item, *, step=None, settle=True):
    """Puts a constraint or template and waits for it to be in force."""
    kind, name = item["kind"], item["metadata"]["name"]
    made = {"name": step or f"put {kind} {name}", "do": ["apply"], "objects": [item]}
    if settle:
        made["settle"] = ("constrainttemplate" if kind == "ConstraintTemplate" else kind.lower(), name)
    return made


def refuse(name, item, *arguments):
    return {"name": name, "do": ["apply", *arguments], "objects": [item]}


def review(name, item, *arguments, **more):
    return {"name": name, "do": [*DRY, *arguments], "objects": [item], **more}


def status(kind, name):
    return {"name": f"status of {kind} {name}", "status": (kind, name)}


def events(name, *until):
    return {"name": f"Events about {name}", "events": name, "until": until}


def remove(kind, name, **more):
    return {"name": f"delete {kind} {name}", "do": ["delete", kind, name, "--wait=false"], **more}


def broken(kind, rego, **more):
    """A template that is stored, with its error in the status."""
    item = template(kind, rego, **more)
    return [policy(item, step=f"template {kind}"), status("constrainttemplate", kind.lower())]


def matching(name, match, *reviews, **spec):
    """A constraint that comes, decides about some objects, and goes."""
    title = name.replace("-", " ")
    steps = [policy(says(name, match, word=name, **spec))]
    for number, item in enumerate(reviews, 1):
        steps.append(review(f"{title}: object {number}", item))
    return [*steps, remove("says", name, gone=("says", name))]


TEMPLATES = [
    policy(template("Says", SAYS, parameters=WORD)),
    status("constrainttemplate", "says"),
    policy(template("NeedsLabel", LABEL, parameters={"labels": {"type": "array", "items": {"type": "string"}}})),
    refuse("a template with another name than its kind", template("Probe", SAYS, name="other")),
    refuse("a template without targets", template("Probe", SAYS, targets=[])),
    refuse("a template with two targets", template("Probe", SAYS, targets=[
        {"target": "admission.k8s.gatekeeper.sh", "rego": SAYS}, {"target": "other", "rego": SAYS}])),
    refuse("a template for an unknown target", template("Probe", SAYS, targets=[{"target": "foo", "rego": SAYS}])),
    refuse("a template without a kind", template("Probe", SAYS, names={})),
    refuse("a template whose schema is not structural", template("Probe", SAYS, parameters={"x": {"description": "no type"}})),
    refuse("a template whose name is too long", template("P" * 64, SAYS)),
    refuse("a template with all operations and one more", template("Probe", SAYS, operations=["*", "CREATE"])),
    *broken("BadSyntax", "package p\nviolation[{"),
    *broken("BadEmpty", ""),
    *broken("BadUnsafe", 'package p\nviolation[{"msg": msg}] { true }\n'),
    *broken("BadReference", 'package p\nviolation[{"msg": "x"}] { data.foo.bar }\n'),
    *broken("BadImport", 'package p\nimport data.inventory\nviolation[{"msg": "x"}] { true }\n'),
    *broken("BadInput", 'package p\nimport input.review\nviolation[{"msg": "x"}] { true }\n'),
    *broken("BadRule", "package p\nother { true }\n"),
    *broken("BadLibrary", SAYS, libs=["package foo\nx { true }\n"]),
    *broken("BadFunction", 'package p\nviolation[{"msg": "x"}] { nothing_like_it(1) }\n'),
    *broken("BadMessage", 'package p\nviolation[{"note": "x"}] { true }\n'),
    policy(template("WithLibrary", """package with_library
import data.lib.words
violation[{"msg": words.text(input.review.name)}] { true }
""", libs=["package lib.words\ntext(x) = y { y := concat(\" \", [\"library says\", x]) }\n"])),
    policy(template("VersionOne", None, code=[{"engine": "Rego", "source": {"version": "v1", "rego": """package version_one
violation contains {"msg": msg} if {
  some key, value in input.review.object.data
  msg := $"{key} is {value}"
}
""".replace('$"{key} is {value}"', 'sprintf("%v is %v", [key, value])')}}])),
    policy(template("Legacy", SAYS, version="v1beta1")),
    {"name": "the CRD of a constraint", "crd": "says.constraints.gatekeeper.sh"},
]

CONSTRAINTS = [
    refuse("a constraint of no template", constraint("NoSuchKind", "x")),
    refuse("a parameter of the wrong type", constraint("Says", "bad", parameters={"word": 1})),
    refuse("a parameter that is not in the schema", constraint("Says", "unknown", parameters={"other": "x"}), "--dry-run=server"),
    refuse("an action that nobody knows", says("bad", CONFIGMAPS, action="refuse")),
    refuse("scoped without actions", says("bad", CONFIGMAPS, action="scoped")),
    refuse("scoped with an unknown action", says("bad", CONFIGMAPS, action="scoped", scopedEnforcementActions=[
        {"action": "refuse", "enforcementPoints": [{"name": "*"}]}])),
    refuse("scoped to an unknown point", says("bad", CONFIGMAPS, action="scoped", scopedEnforcementActions=[
        {"action": "deny", "enforcementPoints": [{"name": "nowhere.gatekeeper.sh"}]}])),
    refuse("a label selector with an unknown operator", says("bad", {"labelSelector": {
        "matchExpressions": [{"key": "a", "operator": "Near", "values": ["b"]}]}})),
    refuse("a namespace selector without values", says("bad", {"namespaceSelector": {
        "matchExpressions": [{"key": "a", "operator": "In", "values": []}]}})),
    refuse("a name pattern with a dot", says("bad", {"name": "a.b"})),
    refuse("a constraint whose name is too long", says("b" * 64, CONFIGMAPS)),
    policy(says("deny-all", CONFIGMAPS)),
    status("says", "deny-all"),
    review("a denied object", configmap("one")),
    review("another kind is not matched", {"apiVersion": "v1", "kind": "Secret",
                                           "metadata": {"name": "s", "namespace": "shop"}}),
    policy(says("deny-all", CONFIGMAPS, word="never"), step="change a constraint"),
    review("the change is in force", configmap("one"), until="never"),
    {**status("says", "deny-all"), "name": "status of the changed constraint"},
    review("an object without a name", configmap("generated-", generate=True), mask=r"generated-\w+"),
    review("a namespace that is not there", configmap("one", namespace="nowhere")),
    remove("says", "deny-all", gone=("says", "deny-all")),
    review("nothing is denied any more", configmap("one")),
    policy(says("warns", CONFIGMAPS, action="warn")),
    review("a warning", configmap("one")),
    policy(says("warns", CONFIGMAPS, action="dryrun"), step="warn becomes dryrun"),
    review("a dry run", configmap("one")),
    policy(says("warns", CONFIGMAPS, action="scoped", scopedEnforcementActions=[
        {"action": "warn", "enforcementPoints": [{"name": "validation.gatekeeper.sh"}]},
        {"action": "deny", "enforcementPoints": [{"name": "validation.gatekeeper.sh"}]}]), step="warn and deny, scoped"),
    review("warned and denied", configmap("one")),
    policy(says("warns", CONFIGMAPS, action="scoped", scopedEnforcementActions=[
        {"action": "deny", "enforcementPoints": [{"name": "audit.gatekeeper.sh"}]}]), step="scoped to the audit"),
    review("not at the webhook", configmap("one")),
    policy(says("warns", CONFIGMAPS, word="b"), step="two constraints: one"),
    policy(says("a-second", CONFIGMAPS, word="a"), step="two constraints: two"),
    review("both lines, by message", configmap("one")),
    remove("says", "warns", gone=("says", "warns")),
    remove("says", "a-second", gone=("says", "a-second")),
]

MATCHES = [
    *matching("by-namespace", {**CONFIGMAPS, "namespaces": ["shop", "pro*"]},
              configmap("a"), configmap("a", "prod"), configmap("a", "default")),
    *matching("by-excluded-namespace", {**CONFIGMAPS, "excludedNamespaces": ["*op"]},
              configmap("a"), configmap("a", "prod")),
    *matching("by-label", {**CONFIGMAPS, "labelSelector": {"matchExpressions": [{"key": "tier", "operator": "Exists"}]}},
              configmap("a"), configmap("a", labels={"tier": "x"})),
    *matching("by-namespace-label", {**CONFIGMAPS, "namespaceSelector": {"matchLabels": {"team": "shop"}}},
              configmap("a"), configmap("a", "prod")),
    *matching("by-cluster-scope", {"kinds": [{"apiGroups": [""], "kinds": ["ConfigMap", "Namespace"]}], "scope": "Cluster"},
              configmap("a"), namespace("fresh")),
    *matching("by-namespaced-scope", {"kinds": [{"apiGroups": [""], "kinds": ["ConfigMap", "Namespace"]}], "scope": "Namespaced"},
              configmap("a"), namespace("fresh")),
    *matching("by-name", {**CONFIGMAPS, "name": "web*"}, configmap("web-1"), configmap("api-1")),
    *matching("by-any-group", {"kinds": [{"apiGroups": ["*"], "kinds": ["*"]}], "namespaces": ["shop"], "scope": "Namespaced"},
              configmap("a"), deployment("d", 1)),
    *matching("by-source", {**CONFIGMAPS, "source": "Original"}, configmap("a")),
    *matching("by-generated-source", {**CONFIGMAPS, "source": "Generated"}, configmap("a")),
]

REVIEWS = [
    policy(constraint("NeedsLabel", "needs-owner", match={**CONFIGMAPS, "labelSelector": {"matchLabels": {"kept": "yes"}}},
                      parameters={"labels": ["owner", "cost"]})),
    {"name": "create what has all labels", "do": ["create"],
     "objects": [configmap("owned", labels={"kept": "yes", "owner": "a", "cost": "b"})]},
    {"name": "create what lacks two", "do": ["create"], "objects": [configmap("bare", labels={"kept": "yes"})]},
    {"name": "an update that takes a label away", "do": ["label", "configmap", "owned", "-n", "shop", "owner-"]},
    {"name": "an update that leaves the selector is still matched by the old object",
     "do": ["label", "configmap", "owned", "-n", "shop", "kept-", "owner-"]},
    {"name": "an update that keeps the labels", "do": ["annotate", "configmap", "owned", "-n", "shop", "note=x"]},
    remove("needslabel", "needs-owner", gone=("needslabel", "needs-owner")),
    policy(says("no-deletes", {**CONFIGMAPS, "name": "owned"}, word="keep")),
    {"name": "a delete is reviewed", "do": ["delete", "configmap", "owned", "-n", "shop"]},
    {"name": "a dry run of a delete", "do": ["delete", "configmap", "owned", "-n", "shop", "--dry-run=server"]},
    remove("says", "no-deletes", gone=("says", "no-deletes")),
    {"name": "create a pod", "do": ["create"], "objects": [pod("shell")]},
    policy(says("no-exec", {"kinds": [{"apiGroups": ["*"], "kinds": ["PodExecOptions"]}]}, word="exec")),
    {"name": "CONNECT", "do": ["exec", "shell", "-n", "shop", "--", "true"]},
    remove("says", "no-exec", gone=("says", "no-exec")),
    {"name": "create a deployment", "do": ["create"], "objects": [deployment("web", 1)]},
    policy(says("no-scale", {"kinds": [{"apiGroups": ["*"], "kinds": ["Scale"]}]}, word="scale")),
    {"name": "a subresource", "do": ["scale", "deployment", "web", "-n", "shop", "--replicas=3"]},
    remove("says", "no-scale", gone=("says", "no-scale")),
    policy(constraint("WithLibrary", "library", match=CONFIGMAPS)),
    review("a library's words", configmap("one")),
    remove("withlibrary", "library", gone=("withlibrary", "library")),
    policy(constraint("VersionOne", "one", match=CONFIGMAPS)),
    review("Rego v1", configmap("one", data={"b": "2", "a": "1"})),
    remove("versionone", "one", gone=("versionone", "one")),
    policy(constraint("Legacy", "old", match=CONFIGMAPS, parameters={"word": "legacy", "other": {"x": 1}})),
    review("parameters without a schema", configmap("one")),
    remove("legacy", "old", gone=("legacy", "old")),
]

EVENTS = [
    policy(says("event-deny", {**CONFIGMAPS, "name": "noticed-deny"})),
    review("denied, with an Event", configmap("noticed-deny")),
    events("noticed-deny", "FailedAdmission"),
    review("denied again", configmap("noticed-deny")),
    {**events("noticed-deny", '"count": 2'), "name": "the Event counts"},
    policy(says("event-warn", {**CONFIGMAPS, "name": "noticed-warn"}, action="warn")),
    review("warned, with an Event", configmap("noticed-warn")),
    events("noticed-warn", "WarningAdmission"),
    policy(says("event-dryrun", {**CONFIGMAPS, "name": "noticed-dryrun"}, action="dryrun")),
    review("only tried, with an Event", configmap("noticed-dryrun")),
    events("noticed-dryrun", "DryrunViolation"),
    policy(says("event-scoped", {**CONFIGMAPS, "name": "noticed-scoped"}, action="scoped", scopedEnforcementActions=[
        {"action": "warn", "enforcementPoints": [{"name": "validation.gatekeeper.sh"}]},
        {"action": "deny", "enforcementPoints": [{"name": "validation.gatekeeper.sh"}]}])),
    review("warned and denied, with Events", configmap("noticed-scoped")),
    events("noticed-scoped", "FailedAdmission", "WarningAdmission"),
    {"name": "create what an update is denied of", "do": ["create"], "objects": [configmap("noticed-update")]},
    policy(says("event-update", {**CONFIGMAPS, "name": "noticed-update"})),
    {"name": "a denied update", "do": ["annotate", "configmap", "noticed-update", "-n", "shop", "note=x"]},
    events("noticed-update", "FailedAdmission"),
    {"name": "a denied delete", "do": ["delete", "configmap", "noticed-update", "-n", "shop"]},
    {**events("noticed-update", "DELETE"), "name": "Events about noticed-update and its delete"},
    *[remove("says", f"event-{each}", gone=("says", f"event-{each}"))
      for each in ("deny", "warn", "dryrun", "scoped", "update")],
]

CONFIG = [
    refuse("a Config of another name", {"apiVersion": "config.gatekeeper.sh/v1alpha1", "kind": "Config",
                                        "metadata": {"name": "other", "namespace": GATEKEEPER_NAMESPACE}, "spec": {}}),
    {"name": "Config syncs ConfigMaps", "do": ["apply"], "objects": [{
        "apiVersion": "config.gatekeeper.sh/v1alpha1", "kind": "Config",
        "metadata": {"name": "config", "namespace": GATEKEEPER_NAMESPACE},
        "spec": {"sync": {"syncOnly": [{"group": "", "version": "v1", "kind": "ConfigMap"}]},
                 "match": [{"processes": ["webhook"], "excludedNamespaces": ["quiet*"]}]}}],
     "settle": ("config", "config")},
    status("config", "config"),
    policy(template("Unique", UNIQUE)),
    policy(constraint("Unique", "unique-host", match=CONFIGMAPS)),
    {"name": "the first host", "do": ["create"], "objects": [configmap("first", data={"host": "a.example.com"})]},
    review("a taken host", configmap("second", data={"host": "a.example.com"}), until="denied"),
    review("a free host", configmap("second", data={"host": "b.example.com"})),
    {"name": "an update of the owner itself", "do": ["annotate", "configmap", "first", "-n", "shop", "note=x"]},
    review("in an excluded namespace", configmap("second", "quiet-one", data={"host": "a.example.com"})),
    {"name": "delete the owner", "do": ["delete", "configmap", "first", "-n", "shop"]},
    review("the host is free", configmap("second", data={"host": "a.example.com"}), until="created"),
    remove("unique", "unique-host", gone=("unique", "unique-host")),
    refuse("the label that exempts, where it may not be", namespace("sly", **{"admission.gatekeeper.sh/ignore": "x"})),
    refuse("the label that exempts, where it may be", namespace("exempt", **{"admission.gatekeeper.sh/ignore": "x"})),
    policy(says("after-exemption", {**CONFIGMAPS, "namespaces": ["exempt", "shop"]})),
    review("in an exempt namespace", configmap("one", "exempt")),
    review("in another", configmap("one")),
    remove("says", "after-exemption", gone=("says", "after-exemption")),
]

LIFE = [
    policy(template("Living", SAYS, parameters=WORD)),
    policy(constraint("Living", "life", match=CONFIGMAPS, parameters={"word": "one"})),
    review("the first text", configmap("one"), until="says one"),
    policy(template("Living", SAYS.replace("says", "shouts"), parameters=WORD), step="change a template"),
    review("the second text", configmap("one"), until="shouts"),
    policy(template("Living", 'package p\nviolation[{"msg": msg}] { true }\n', parameters=WORD),
           step="a template becomes bad"),
    status("constrainttemplate", "living"),
    review("the last good one is in force", configmap("one")),
    status("living", "life"),
    policy(template("Living", SAYS, parameters={"word": {"type": "integer"}}), step="a schema that the constraint fails"),
    {"name": "the constraint's status tells", "status": ("living", "life"), "until": "could not cache constraint"},
    review("and it is in force as before", configmap("one")),
    refuse("a change that the new schema refuses", constraint("Living", "life", match=CONFIGMAPS, parameters={"word": "two"})),
    remove("constrainttemplate", "living"),
    review("no template, no policy", configmap("one"), until="created"),
]

# A certificate of nobody's, valid until 2126.
PROVIDER_CA = (
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJnakNDQVNtZ0F3SUJBZ0lVSlB0bjdPOEpMeW5iUFVzbW8wNWlUcnc2RnhNd0NnWUlLb1"
    "pJemowRUF3SXcKRmpFVU1CSUdBMVVFQXd3TGNISnZkbWxrWlhJdFkyRXdJQmNOTWpZeE1USTBNREUwT1RVeFdoZ1BNakV5TmpFdwpNekV3TVRR"
    "NU5URmFNQll4RkRBU0JnTlZCQU1NQzNCeWIzWnBaR1Z5TFdOaE1Ga3dFd1lIS29aSXpqMENBUVlJCktvWkl6ajBEQVFjRFFnQUVLS3o0NUQvZD"
    "BHTUpMVkFhVjRIZE1YRlZWZm83VVROblBEYk1IYjJ5bFNKSktYYnUKL0dBOTZieThUNkM1cFpjaGlOOEwrbzJKeG0xV0tWS1R6Qlh4QXFOVE1G"
    "RXdIUVlEVlIwT0JCWUVGQWt3eVVQYQozZ0lJd1M3TEZ5Vk1YY1ZrTDNGZU1COEdBMVVkSXdRWU1CYUFGQWt3eVVQYTNnSUl3UzdMRnlWTVhjVm"
    "tMM0ZlCk1BOEdBMVVkRXdFQi93UUZNQU1CQWY4d0NnWUlLb1pJemowRUF3SURSd0F3UkFJZ2Y5c3ZjcTRaNlBOUXdmTlIKS2p6L2Z0aldCZStY"
    "TWJ1S2Y3Nmd4cGg0TWVBQ0lET283ZGZVbCtkOXVCNzNMMzFDWUVOdnFkZ2lxNk5YcDdaWApnb2YzbFhhdgotLS0tLUVORCBDRVJUSUZJQ0FURS"
    "0tLS0tCg==")


def expansion(name, kinds, group="apps", makes=("", "v1", "Pod"), **spec):
    return {"apiVersion": "expansion.gatekeeper.sh/v1beta1", "kind": "ExpansionTemplate", "metadata": {"name": name},
            "spec": {"applyTo": [{"groups": [group], "versions": ["v1"], "kinds": kinds}], "templateSource": "spec.template",
                     "generatedGVK": dict(zip(("group", "version", "kind"), makes)), **spec}}


def provider(name, url):
    return {"apiVersion": "externaldata.gatekeeper.sh/v1beta1", "kind": "Provider", "metadata": {"name": name},
            "spec": {"url": url, "timeout": 1, "caBundle": PROVIDER_CA}}


EXPANSION = [
    policy(template("Label", LABEL, name="label", parameters={"labels": {"type": "array", "items": {"type": "string"}}}),
           step="put the template Label for what is expanded"),
    policy(constraint("Label", "generated-team", match={"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}], "source": "Generated"},
                      parameters={"labels": ["team"]})),
    review("a Deployment that nothing expands", deployment("expanded", 1)),
    policy(expansion("deployments", ["Deployment"])),
    status("expansiontemplate", "deployments"),
    review("a Deployment whose Pod is denied", deployment("expanded", 1), until="denied"),
    policy(expansion("deployments", ["Deployment"], enforcementAction="warn"), step="its violations are to warn"),
    review("a Deployment whose Pod is warned of", deployment("expanded", 1), until="Warning"),
    policy({"apiVersion": "mutations.gatekeeper.sh/v1", "kind": "AssignMetadata", "metadata": {"name": "team"}, "spec": {
        "match": {"source": "Generated", "kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}, "location": "metadata.labels.team",
        "parameters": {"assign": {"value": "web"}}}}),
    review("a Deployment whose Pod is mutated", deployment("expanded", 1)),
    remove("assignmetadata", "team"),
    refuse("an ExpansionTemplate that applies to what it makes", expansion("loop", ["Pod"], group="")),
    refuse("one without a source", expansion("loop", ["Deployment"], templateSource="")),
    policy(expansion("ring-one", ["One"], makes=("apps", "v1", "Two"))),
    policy(expansion("ring-two", ["Two"], makes=("apps", "v1", "One"))),
    {**status("expansiontemplate", "ring-two"), "until": "cycle"},
    {**status("expansiontemplate", "ring-one"), "until": "cycle"},
    remove("expansiontemplate", "ring-two"),
    remove("expansiontemplate", "ring-one"),
    remove("expansiontemplate", "deployments"),
    remove("label", "generated-team", gone=("label", "generated-team")),
    policy(provider("answers", "https://provider.example:8443/validate")),
    status("provider", "answers"),
    refuse("a Provider without TLS", provider("plain", "http://provider.example/validate")),
    remove("provider", "answers"),
]

STEPS = [
    {"name": "namespaces", "do": ["create"], "objects": [
        namespace("shop", team="shop"), namespace("prod", team="prod"), namespace("quiet-one")]},
    *TEMPLATES, *CONSTRAINTS, *MATCHES, *REVIEWS, *EVENTS, *CONFIG, *LIFE, *EXPANSION,
]

# Steps with the audit, and with Events beside their objects: the same cluster, when the manager has been started again.
AUDITED = [
    {"name": "no Config any more", "do": ["delete", "config", "config", "-n", GATEKEEPER_NAMESPACE]},
    {"name": "create what is audited", "do": ["create"], "objects": [
        configmap("audited-one", "prod"), configmap("audited-two", "prod", labels={"tier": "x"})]},
    policy(says("audit-deny", {**CONFIGMAPS, "name": "audited-*"}), settle=False),
    policy(says("audit-scoped", {**CONFIGMAPS, "name": "audited-two"}, action="scoped", scopedEnforcementActions=[
        {"action": "warn", "enforcementPoints": [{"name": "audit.gatekeeper.sh"}]},
        {"action": "dryrun", "enforcementPoints": [{"name": "validation.gatekeeper.sh"}]}]), settle=False),
    {**events("audited-one", "AuditViolation"), "uncounted": True},
    {**events("audited-two", "audit-deny", "audit-scoped"), "uncounted": True},
    {**status("says", "audit-deny"), "name": "status after an audit: deny", "until": "totalViolations"},
    {**status("says", "audit-scoped"), "name": "status after an audit: scoped", "until": "totalViolations"},
    review("a denied object, with an Event beside it", configmap("audited-three", "prod")),
    events("audited-three", "FailedAdmission"),
    {"name": "a denied update of an object with a uid", "do": ["annotate", "configmap", "audited-one", "-n", "prod", "note=x"]},
    {**events("audited-one", "AuditViolation", "FailedAdmission"), "name": "both Events about audited-one", "uncounted": True},
    policy(says("audit-namespaces", {"kinds": [{"apiGroups": [""], "kinds": ["Namespace"]}], "name": "prod"}), settle=False),
    {**events("prod", "AuditViolation"), "uncounted": True},
]
