"""Mutators and the objects that are given to them: what record_cases.py puts before a real Gatekeeper.

Each case has a kind of object of its own, so that all mutators are in force together and none meets another case's objects.
"""

import copy
import json

CASES = []


def mutator(kind, location, parameters, name="m", version="v1", apply=None, match=None, operations=None):
    return {"kind": kind, "location": location, "parameters": parameters, "name": name, "version": version,
            "apply": apply, "match": match, "operations": operations}


def assign(location, value, tests=(), **more):
    return mutator("Assign", location, with_tests({"assign": {"value": value}}, tests), **more)


def from_metadata(location, field, **more):
    return mutator("Assign", location, {"assign": {"fromMetadata": {"field": field}}}, **more)


def label(location, value, **more):
    parameters = {"assign": value if isinstance(value, dict) else {"value": value}}
    return mutator("AssignMetadata", location, parameters, **more)


def modify(location, values, operation=None, tests=(), **more):
    parameters = with_tests({"values": {"fromList": values}}, tests)
    if operation:
        parameters["operation"] = operation
    return mutator("ModifySet", location, parameters, **more)


def image(location, domain=None, path=None, tag=None, tests=(), **more):
    parameters = {key: value for key, value in
                  [("assignDomain", domain), ("assignPath", path), ("assignTag", tag)] if value}
    return mutator("AssignImage", location, with_tests(parameters, tests), version="v1alpha1", **more)


def with_tests(parameters, tests):
    if tests:
        parameters["pathTests"] = [{"subPath": path, "condition": condition} for path, condition in tests]
    return parameters


def case(name, mutators, *objects):
    """`objects`: each the object's fields beside version and kind, or a dict with `object` and fields of the request."""
    CASES.append({"name": name, "mutators": mutators, "objects": list(objects)})


def request(fields, **more):
    return {"object": fields, **more}


def pod(*containers, **more):
    spec = {"containers": [copy.deepcopy(c) for c in containers]}
    spec.update(more)
    return {"metadata": {"name": "web", "namespace": "lab"}, "spec": spec}


MAIN = {"name": "main", "image": "nginx:1.25"}
SIDE = {"name": "side", "image": "envoy", "imagePullPolicy": "Never"}
EXIST, MISSING = "MustExist", "MustNotExist"

# Fields and globs.
case("a field of every item", [assign("spec.containers[name:*].imagePullPolicy", "Always")],
     pod(MAIN, SIDE), pod(), {"metadata": {"name": "x", "namespace": "lab"}},
     {"metadata": {"name": "x", "namespace": "lab"}, "spec": {}},
     pod({"name": "main", "imagePullPolicy": "Always"}), pod({"image": "no-name"}))
case("a field of the item with a key", [assign("spec.containers[name:side].imagePullPolicy", "Always")],
     pod(MAIN, SIDE), pod(MAIN), pod(), {"metadata": {"name": "x"}, "spec": {"containers": None}},
     pod("text", SIDE), pod({"name": 5}, SIDE), pod(SIDE, SIDE))
case("a field deep down that is not there", [assign("spec.a.b.c", {"d": [1, 2]})],
     {"metadata": {"name": "x"}}, {"metadata": {"name": "x"}, "spec": {"a": {"b": {"x": 1}}}},
     {"metadata": {"name": "x"}, "spec": {"a": {"b": {"c": {"d": [1, 2]}}}}},
     {"metadata": {"name": "x"}, "spec": {"a": None}}, {"metadata": {"name": "x"}, "spec": {"a": []}},
     {"metadata": {"name": "x"}, "spec": {"a": "text"}}, {"metadata": {"name": "x"}, "spec": {"a": 7}},
     {"metadata": {"name": "x"}, "spec": {"a": 7.5}}, {"metadata": {"name": "x"}, "spec": {"a": True}},
     {"metadata": {"name": "x"}, "spec": {"a": {"b": [1]}}})
case("a list of lists of items", [assign("spec.containers[name:*].ports[name:http].protocol", "TCP")],
     pod({"name": "a", "ports": [{"name": "http"}, {"name": "x"}]}, {"name": "b"}),
     pod({"name": "a", "ports": []}), pod({"name": "a", "ports": {"name": "http"}}), pod({"name": "a", "ports": "x"}))
case("two globs", [assign("spec.containers[name:*].ports[name:*].hostPort", 80)],
     pod({"name": "a", "ports": [{"name": "http"}, {"name": "x"}]}, {"name": "b"}),
     pod({"name": "a", "ports": [{"name": "http", "hostPort": 80}]}), pod({"name": "a", "ports": [5]}))
case("an integer key", [assign("spec.ports[port: 80].name", "http")],
     {"metadata": {"name": "x"}, "spec": {"ports": [{"port": 80}, {"port": 81}]}},
     {"metadata": {"name": "x"}, "spec": {"ports": [{"port": "80"}]}},
     {"metadata": {"name": "x"}, "spec": {"ports": [{"port": 80.0}]}},
     {"metadata": {"name": "x"}, "spec": {"ports": []}}, {"metadata": {"name": "x"}, "spec": {}})
case("quoted names", [assign("""spec."a.b/c"['k y': "v\\"x"].'it\\'s'""", "set")],
     {"metadata": {"name": "x"}, "spec": {}},
     {"metadata": {"name": "x"}, "spec": {"a.b/c": [{"k y": 'v"x', "it's": "old"}, {"k y": "other"}]}},
     {"metadata": {"name": "x"}, "spec": {"a.b/c": None}})
case("a field with slash and tilde", [assign('spec."a/b~c".d', "set")],
     {"metadata": {"name": "x"}, "spec": {}}, {"metadata": {"name": "x"}, "spec": {"a/b~c": {"d": 1}}})
case("a top field", [assign("data", {"a": "b"})],
     {"metadata": {"name": "x"}}, {"metadata": {"name": "x"}, "data": {"c": "d"}},
     {"metadata": {"name": "x"}, "data": {"a": "b"}})

# Items of lists.
SIDECAR = {"name": "sidecar", "image": "proxy", "ports": [{"containerPort": 80}]}
case("a whole item", [assign("spec.containers[name:sidecar]", SIDECAR)],
     pod(MAIN), pod(MAIN, {"name": "sidecar", "image": "old"}), pod(), {"metadata": {"name": "x"}}, pod(MAIN, SIDECAR),
     pod("text"), pod(None, MAIN), {"metadata": {"name": "x"}, "spec": {"containers": {}}},
     {"metadata": {"name": "x"}, "spec": {"containers": "text"}}, pod({"image": "no-name"}))
case("a whole item in every item", [assign("spec.containers[name:*].env[name:A]", {"name": "A", "value": "1"})],
     pod(MAIN, SIDE), pod({"name": "a", "env": [{"name": "A", "value": "2"}, {"name": "B"}]}),
     pod({"name": "a", "env": [{"name": "B"}]}))
case("an item where the path must exist",
     [assign("spec.containers[name:sidecar]", SIDECAR, [("spec.containers[name:sidecar]", EXIST)])],
     pod(MAIN), pod({"name": "sidecar", "image": "old"}))
case("an item where the path must not exist",
     [assign("spec.containers[name:sidecar]", SIDECAR, [("spec.containers[name:sidecar]", MISSING)])],
     pod(MAIN), pod({"name": "sidecar", "image": "old"}))

# Path tests.
case("the last field must exist", [assign("spec.a.b", 1, [("spec.a.b", EXIST)])],
     {"metadata": {"name": "x"}, "spec": {"a": {"b": 5}}}, {"metadata": {"name": "x"}, "spec": {"a": {}}},
     {"metadata": {"name": "x"}, "spec": {}}, {"metadata": {"name": "x"}, "spec": {"a": {"b": None}}})
case("the last field must not exist", [assign("spec.a.b", 1, [("spec.a.b", MISSING)])],
     {"metadata": {"name": "x"}, "spec": {"a": {"b": 5}}}, {"metadata": {"name": "x"}, "spec": {"a": {}}},
     {"metadata": {"name": "x"}}, {"metadata": {"name": "x"}, "spec": {"a": {"b": None}}})
case("a field above must exist", [assign("spec.a.b.c", 1, [("spec.a", EXIST)])],
     {"metadata": {"name": "x"}, "spec": {"a": {}}}, {"metadata": {"name": "x"}, "spec": {}},
     {"metadata": {"name": "x"}, "spec": {"a": None}})
case("a field above must not exist", [assign("spec.a.b.c", 1, [("spec.a", MISSING)])],
     {"metadata": {"name": "x"}, "spec": {"a": {}}}, {"metadata": {"name": "x"}, "spec": {}})
case("one must exist and one not", [assign("spec.a.b.c", 1, [("spec.a", EXIST), ("spec.a.b.c", MISSING)])],
     {"metadata": {"name": "x"}, "spec": {"a": {}}}, {"metadata": {"name": "x"}, "spec": {}},
     {"metadata": {"name": "x"}, "spec": {"a": {"b": {"c": 2}}}})
case("tests below a glob", [assign("spec.containers[name:*].securityContext.runAsUser", 1000,
                                   [("spec.containers[name:*].securityContext", EXIST),
                                    ("spec.containers[name:*].securityContext.runAsUser", MISSING)])],
     pod({"name": "a"}, {"name": "b", "securityContext": {}}, {"name": "c", "securityContext": {"runAsUser": 0}}))
case("a glob must exist", [assign("spec.containers[name:*].a", 1, [("spec.containers[name:*]", EXIST)])], pod(MAIN), pod())
case("a glob must not exist", [assign("spec.containers[name:*].a", 1, [("spec.containers[name:*]", MISSING)])],
     pod(MAIN), pod())
case("an item must exist", [assign("spec.containers[name:side].a", 1, [("spec.containers[name:side]", EXIST)])],
     pod(MAIN), pod(SIDE))
case("an item must not exist", [assign("spec.containers[name:side].a", 1, [("spec.containers[name:side]", MISSING)])],
     pod(MAIN), pod(SIDE))

# Values.
for name, value in [("false", False), ("zero", 0), ("an empty text", ""), ("an empty list", []), ("an empty object", {}),
                    ("a float", 1.5), ("a large number", 1e21), ("a number beyond 2^53", 9007199254740993),
                    ("a million", 1000000), ("a small number", 1e-7), ("a negative number", -3),
                    ("a text with quotes", 'a"b<c>&'), ("a nested list", [[1], [2, [3]]])]:
    case(f"the value {name}", [assign("spec.a", value)], {"metadata": {"name": "x"}, "spec": {}},
         {"metadata": {"name": "x"}, "spec": {"a": value}})
case("a number that is there as another", [assign("spec.a", 1)], {"metadata": {"name": "x"}, "spec": {"a": 1}},
     {"metadata": {"name": "x"}, "spec": {"a": 1.0}}, {"metadata": {"name": "x"}, "spec": {"a": "1"}},
     {"metadata": {"name": "x"}, "spec": {"a": -0}})
case("numbers beside what is changed", [assign("spec.a", "x")],
     {"metadata": {"name": "x"}, "spec": {"b": 12345678901234567, "c": 1.0, "d": 1e3, "e": -0.0}},
     {"metadata": {"name": "x"}, "spec": {"b": [123456789012345678901234567890]}})
case("metadata as values", [from_metadata("spec.name", "name", name="a"), from_metadata("spec.ns", "namespace", name="b")],
     {"metadata": {"name": "x", "namespace": "lab"}, "spec": {}}, request({"metadata": {"name": "x"}, "spec": {}}, namespace="lab"),
     request({"metadata": {"generateName": "x-"}, "spec": {}}, namespace="lab"), {"metadata": {"name": "x"}, "spec": {}},
     {"metadata": {"name": 5}, "spec": {}}, {"spec": {}})
case("metadata in every item", [from_metadata("spec.containers[name:*].podName", "name")], pod(MAIN, SIDE))

# AssignMetadata.
case("a label", [label("metadata.labels.owner", "team")],
     {"metadata": {"name": "x"}}, {"metadata": {"name": "x", "labels": {"owner": "me"}}},
     {"metadata": {"name": "x", "labels": {"a": "b"}}}, {"metadata": {"name": "x", "labels": None}},
     {"metadata": {"name": "x", "labels": {}}}, {"metadata": {"name": "x", "labels": []}}, {},
     {"metadata": None}, {"metadata": "text"}, {"metadata": {"name": "x", "labels": {"owner": ""}}},
     {"metadata": {"name": "x", "labels": {"owner": None}}})
case("an annotation with a quoted name", [label('metadata.annotations."a.b/c"', "v")],
     {"metadata": {"name": "x"}}, {"metadata": {"name": "x", "annotations": {"a.b/c": "w"}}},
     {"metadata": {"name": "x", "annotations": {"z": "w"}}})
case("a label from metadata", [label("metadata.labels.ns", {"fromMetadata": {"field": "namespace"}})],
     request({"metadata": {"name": "x"}}, namespace="lab"), {"metadata": {"name": "x"}})
case("a label and an object without metadata", [label("metadata.labels.owner", "team")],
     request({}, namespace="lab"), request({"metadata": {"namespace": ""}}, namespace="lab"))

# ModifySet.
case("merge", [modify("spec.args", ["-a", "-b", "-a"])],
     {"metadata": {"name": "x"}, "spec": {"args": ["-b", "-c"]}}, {"metadata": {"name": "x"}, "spec": {"args": []}},
     {"metadata": {"name": "x"}, "spec": {}}, {"metadata": {"name": "x"}},
     {"metadata": {"name": "x"}, "spec": {"args": ["-a", "-b"]}}, {"metadata": {"name": "x"}, "spec": {"args": None}},
     {"metadata": {"name": "x"}, "spec": {"args": "text"}}, {"metadata": {"name": "x"}, "spec": {"args": {"a": [1, None]}}},
     {"metadata": {"name": "x"}, "spec": {"args": ["-b", "-b"]}}, {"metadata": {"name": "x"}, "spec": {"args": 1000000}},
     {"metadata": {"name": "x"}, "spec": {"args": 1.5e6}})
case("prune", [modify("spec.args", ["-a", "-b"], "prune")],
     {"metadata": {"name": "x"}, "spec": {"args": ["-a", "-c", "-b", "-a"]}}, {"metadata": {"name": "x"}, "spec": {"args": []}},
     {"metadata": {"name": "x"}, "spec": {}}, {"metadata": {"name": "x"}},
     {"metadata": {"name": "x"}, "spec": {"args": ["-a"]}}, {"metadata": {"name": "x"}, "spec": {"args": {}}})
case("merge numbers and objects", [modify("spec.args", [1, 1.5, {"a": 1}, [1], None, True, "1"])],
     {"metadata": {"name": "x"}, "spec": {"args": [1.0, 1.5, {"a": 1.0}]}},
     {"metadata": {"name": "x"}, "spec": {"args": [1, {"a": 1}, None]}}, {"metadata": {"name": "x"}, "spec": {}})
case("prune numbers and objects", [modify("spec.args", [1, 1.5, {"a": 1}], "prune")],
     {"metadata": {"name": "x"}, "spec": {"args": [1.0, 1.5, {"a": 1.0}, 1, {"a": 1}]}})
case("merge nothing", [modify("spec.args", [])], {"metadata": {"name": "x"}, "spec": {"args": ["a"]}},
     {"metadata": {"name": "x"}, "spec": {}})
case("merge into every item", [modify("spec.containers[name:*].args", ["--x"])],
     pod(MAIN, {"name": "b", "args": ["--y", "--x"]}), pod({"name": "b", "args": "--y"}))
case("prune in every item that has it", [modify("spec.containers[name:*].args", ["--x"], "prune",
                                                [("spec.containers[name:*].args", EXIST)])],
     pod(MAIN, {"name": "b", "args": ["--y", "--x"]}))
case("prune deep down makes the way", [modify("spec.a.b.args", ["--x"], "prune")], {"metadata": {"name": "x"}, "spec": {}})
case("merge a finalizer-like set and prune of the same", [modify("spec.args", ["a"], name="a"),
                                                         modify("spec.args", ["a"], "prune", name="b")],
     {"metadata": {"name": "x"}, "spec": {"args": ["b"]}}, {"metadata": {"name": "x"}, "spec": {}})
case("prune first, then merge of the same", [modify("spec.args", ["a"], "prune", name="a"),
                                            modify("spec.args", ["a"], name="b")],
     {"metadata": {"name": "x"}, "spec": {"args": ["a", "b"]}}, {"metadata": {"name": "x"}, "spec": {"args": ["b", "a"]}})

# AssignImage.
IMAGES = ["nginx", "nginx:1.25", "library/nginx", "docker.io/library/nginx:1.25", "localhost/nginx", "localhost:5000/a/b:c",
          "gcr.io/a@sha256:" + "a" * 64, "host:80/x", "UPPER/x", "", "a/b/c:d:e", "x@y:z", "a.b", "/x"]
case("a registry", [image("spec.containers[name:*].image", domain="registry.corp:5000")],
     *[pod({"name": "a", "image": text}) for text in IMAGES], pod({"name": "a"}), pod({"name": "a", "image": 5}),
     pod({"name": "a", "image": None}))
case("a path", [image("spec.image", path="team/app")], *[{"metadata": {"name": "x"}, "spec": {"image": text}} for text in IMAGES])
case("a tag", [image("spec.image", tag=":v2")], *[{"metadata": {"name": "x"}, "spec": {"image": text}} for text in IMAGES],
     {"metadata": {"name": "x"}, "spec": {}}, {"metadata": {"name": "x"}, "spec": {"image": ["a"]}})
case("a digest", [image("spec.image", tag="@sha256:" + "b" * 64)],
     *[{"metadata": {"name": "x"}, "spec": {"image": text}} for text in IMAGES[:7]])
case("all three parts", [image("spec.image", "my.registry", "app", ":v1")],
     *[{"metadata": {"name": "x"}, "spec": {"image": text}} for text in IMAGES[:4]], {"metadata": {"name": "x"}, "spec": {}})
case("an image where it must exist", [image("spec.image", tag=":v2", tests=[("spec.image", EXIST)])],
     {"metadata": {"name": "x"}, "spec": {}}, {"metadata": {"name": "x"}, "spec": {"image": "a"}})

# Several mutators: order, passes, conflicts.
case("the last of a name wins", [assign("spec.a", 1, name="a"), assign("spec.a", 2, name="b")],
     {"metadata": {"name": "x"}, "spec": {}}, {"metadata": {"name": "x"}, "spec": {"a": 2}})
case("one makes what another needs", [assign("spec.b", 1, [("spec.b", MISSING)], name="a"),
                                     assign("spec.c.d", 1, [("spec.c", EXIST)], name="b"),
                                     assign("spec.c", {}, [("spec.c", MISSING)], name="c")],
     {"metadata": {"name": "x"}, "spec": {}}, {"metadata": {"name": "x"}})
case("a label that another selects",
     [assign("spec.a", 1, match={"labelSelector": {"matchLabels": {"tier": "web"}}}, name="a"),
      label("metadata.labels.tier", "web", name="b")],
     {"metadata": {"name": "x"}}, {"metadata": {"name": "x", "labels": {"tier": "db"}}})
case("an object and a list", [assign("spec.a.b", 1, name="a"), assign("spec.a[k:v].c", 1, name="b"), assign("spec.z", 1, name="c")],
     {"metadata": {"name": "x"}, "spec": {}})
case("two keys of one list", [assign("spec.a[k:v].c", 1, name="a"), assign("spec.a[l:v].c", 1, name="b")],
     {"metadata": {"name": "x"}, "spec": {}})
case("a text and below it", [image("spec.a", tag=":v1", name="a"), assign("spec.a.b", 1, name="b")],
     {"metadata": {"name": "x"}, "spec": {}})
case("a set and an object", [modify("spec.a", ["x"], name="a"), assign("spec.a.b", 1, name="b")],
     {"metadata": {"name": "x"}, "spec": {}})
case("a set and a text", [modify("spec.a", ["x"], name="a"), image("spec.a", tag=":v1", name="b")],
     {"metadata": {"name": "x"}, "spec": {}})
case("an assigned value and below it", [assign("spec.a", {"c": 2}, name="a"), assign("spec.a.b", 1, name="b")],
     {"metadata": {"name": "x"}, "spec": {}}, {"metadata": {"name": "x"}, "spec": {"a": {"b": 1, "c": 2}}})
case("a set and an assigned value", [assign("spec.a", ["y"], name="a"), modify("spec.a", ["x"], name="b")],
     {"metadata": {"name": "x"}, "spec": {}})
case("conflicts on the way and at the end",
     [assign("spec.a.b.c", 1, name="a"), assign("spec.a.b[k:v].c", 1, name="b"), assign("spec.a[k:v].b", 1, name="c")],
     {"metadata": {"name": "x"}, "spec": {}})
case("no conflict between operations", [assign("spec.a.b", 1, name="a", operations=["CREATE"]),
                                       assign("spec.a[k:v].c", 1, name="b", operations=["UPDATE"])],
     {"metadata": {"name": "x"}, "spec": {}}, request({"metadata": {"name": "x"}, "spec": {}}, operation="UPDATE"))
case("all kinds on one object",
     [assign("spec.containers[name:*].imagePullPolicy", "Always", name="a"), label("metadata.labels.owner", "team", name="b"),
      modify("spec.containers[name:*].args", ["--log"], name="c"),
      image("spec.containers[name:*].image", domain="registry.corp", name="d")],
     pod(MAIN, SIDE), request(pod(MAIN, SIDE), operation="UPDATE"))
case("kinds that change in a circle",
     [assign("kind", "RingA", name="a", apply={"kinds": ["RingC"]}), assign("kind", "RingC", name="b", apply={"kinds": ["RingB"]}),
      assign("kind", "RingB", name="c", apply={"kinds": ["RingA"]})],
     request({"kind": "RingA", "metadata": {"name": "x", "namespace": "lab"}}),
     request({"kind": "RingA", "metadata": {"generateName": "x-"}}))
case("the kind changes on the way", [assign("kind", "Turned", name="a"),
                                    assign("spec.b", 1, name="b"),
                                    assign("spec.c", 1, name="c", apply={"kinds": ["Turned"]})],
     {"metadata": {"name": "x"}})

# Matching.
case("applyTo of another version", [assign("spec.a", 1, apply={"versions": ["v2"]})], {"metadata": {"name": "x"}})
case("applyTo of another group", [assign("spec.a", 1, apply={"groups": ["apps"]})], {"metadata": {"name": "x"}},
     request({"apiVersion": "apps/v1", "metadata": {"name": "x"}}))
case("applyTo without operation", [assign("spec.a", 1, operations=["UPDATE"])], {"metadata": {"name": "x"}},
     request({"metadata": {"name": "x"}}, operation="UPDATE"))
case("applyTo of every operation", [assign("spec.a", 1, operations=["*"])], {"metadata": {"name": "x"}},
     request({"metadata": {"name": "x"}}, operation="UPDATE"), request({"metadata": {"name": "x"}}, operation="DELETE"),
     request({"metadata": {"name": "x"}}, operation="CONNECT"))
case("a name", [assign("spec.a", 1, match={"name": "web-*"})], {"metadata": {"name": "web-1"}}, {"metadata": {"name": "db-1"}},
     {"metadata": {"generateName": "web-"}}, {"metadata": {"generateName": "we"}})
case("namespaces", [assign("spec.a", 1, match={"namespaces": ["lab", "oth*"]})],
     request({"metadata": {"name": "x"}}, namespace="lab"), request({"metadata": {"name": "x"}}, namespace="other"),
     request({"metadata": {"name": "x"}}, namespace="default"), {"metadata": {"name": "x"}},
     request({"metadata": {"name": "x", "namespace": "lab"}}))
case("excluded namespaces", [assign("spec.a", 1, match={"excludedNamespaces": ["lab"]})],
     request({"metadata": {"name": "x"}}, namespace="lab"), request({"metadata": {"name": "x"}}, namespace="other"),
     {"metadata": {"name": "x"}})
case("a namespace's labels", [assign("spec.a", 1, match={"namespaceSelector": {"matchLabels": {"env": "prod"}}})],
     request({"metadata": {"name": "x"}}, namespace="lab"), request({"metadata": {"name": "x"}}, namespace="other"),
     {"metadata": {"name": "x"}}, {"metadata": {"name": "x", "namespace": "lab"}})
case("a scope", [assign("spec.a", 1, match={"scope": "Namespaced"}, name="a"), assign("spec.b", 1, match={"scope": "Cluster"}, name="b")],
     request({"metadata": {"name": "x"}}, namespace="lab"), {"metadata": {"name": "x"}})
case("a source", [assign("spec.a", 1, match={"source": "Original"}, name="a"),
                 assign("spec.b", 1, match={"source": "Generated"}, name="b")], {"metadata": {"name": "x"}})
case("kinds of a match beside applyTo", [assign("spec.a", 1, match={"kinds": [{"apiGroups": ["*"], "kinds": ["Other"]}]})],
     {"metadata": {"name": "x"}})
case("a selector with a bad operator",
     [assign("spec.a", 1, match={"labelSelector": {"matchExpressions": [{"key": "a", "operator": "Near"}]}})],
     {"metadata": {"name": "x"}})
case("a selector without values",
     [assign("spec.a", 1, match={"labelSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}})],
     {"metadata": {"name": "x"}})
case("a selector with values too many",
     [assign("spec.a", 1, match={"labelSelector": {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}})],
     {"metadata": {"name": "x"}})
case("a selector with a bad key",
     [assign("spec.a", 1, match={"namespaceSelector": {"matchLabels": {"a b": "c"}}})],
     {"metadata": {"name": "x"}}, request({"metadata": {"name": "x"}}, namespace="lab"))

# The request.
PLAIN = [assign("spec.a", 1)]
case("requests", PLAIN, request({"metadata": {"name": "x"}}, operation="DELETE"),
     request({"metadata": {"name": "x"}}, operation="CONNECT"), request({"metadata": {"name": "x"}}, operation="UPDATE"),
     request({"metadata": {"name": "x"}}, namespace="ignored-1"), request({"metadata": {"name": "x"}}, namespace="nowhere"),
     request({"metadata": {"name": "x"}}, username="system:serviceaccount:gatekeeper-system:gatekeeper-admin"),
     request({"metadata": {"name": "x"}}, group="mutations.gatekeeper.sh"),
     request({"metadata": {"name": "x"}}, group="constraints.gatekeeper.sh"),
     request({"metadata": {"name": "x"}}, group="syncset.gatekeeper.sh"),
     request({"metadata": {"name": "x"}}, subresource="status"), request({"metadata": {"name": "x"}}, dry_run=True),
     request({"metadata": {"name": "x"}}, namespace="lab", subresource="ephemeralcontainers", operation="UPDATE"),
     request(None), request("text"), request([1]), request(5), request({"kind": "", "metadata": {"name": "x"}}),
     request({"kind": 5, "metadata": {"name": "x"}}), request({"apiVersion": 5, "metadata": {"name": "x"}}),
     request({"apiVersion": "", "metadata": {"name": "x"}}), request({"apiVersion": "a/b/c", "metadata": {"name": "x"}}),
     request({"metadata": {"name": "x", "namespace": "other"}}, namespace="lab"),
     request({"metadata": {"name": "x", "namespace": ""}}, namespace=""),
     request({"metadata": {"name": "x"}, "items": [{"a": 1}]}))
case("an object that nothing is about", [], {"metadata": {"name": "x"}})
case("a large object", [assign("spec.containers[name:*].imagePullPolicy", "Always", name="a"),
                       modify("spec.list", [-1], name="b")],
     {"metadata": {"name": "x"}, "spec": {"containers": [{"name": f"c{i}"} for i in range(300)]}},
     {"metadata": {"name": "x"}, "spec": {"list": list(range(2000))}},
     {"metadata": {"name": "x"}, "spec": {"text": "y" * 100000}})
case("keys in Unicode", [assign("spec.'ключ'", "значение")], {"metadata": {"name": "x"}, "spec": {"ключ": "ü"}},
     {"metadata": {"name": "x"}, "spec": {"\U0001f600": 1, "\ue000": 2}})

NAMESPACE_MUTATOR = label("metadata.labels.seen", "yes", match={"kinds": [{"apiGroups": [""], "kinds": ["Namespace"]}],
                                                                "namespaces": ["lab*"]})
case("Namespaces", [NAMESPACE_MUTATOR],
     request({"kind": "Namespace", "metadata": {"name": "lab-2"}}, namespace="lab-2"),
     request({"kind": "Namespace", "metadata": {"name": "zoo"}}, namespace="zoo"),
     request({"kind": "Namespace", "metadata": {"name": "ignored-2"}}, namespace="ignored-2"),
     request({"kind": "Namespace", "metadata": {"name": "lab-3", "namespace": "lab-3"}}),
     request({"kind": "Namespace", "metadata": {"name": 5}}), request({"kind": "Namespace", "metadata": "text"}),
     request({"kind": "Namespace", "metadata": {"name": "lab-4", "labels": {"a": 5}}}))


def manifests():
    """The mutators of all cases, as objects."""
    for number, each in enumerate(CASES):
        for one in each["mutators"]:
            kind = f"Case{number}"
            spec = {"location": one["location"], "parameters": one["parameters"]}
            match = copy.deepcopy(one["match"]) or {}
            if one["kind"] == "AssignMetadata":
                match.setdefault("kinds", [{"apiGroups": ["*"], "kinds": [kind]}])
            else:
                entry = {"groups": [""], "versions": ["v1"], "kinds": [kind], **(one["apply"] or {})}
                if one["operations"]:
                    entry["operations"] = one["operations"]
                spec["applyTo"] = [entry]
            if match:
                spec["match"] = match
            yield {"apiVersion": f"mutations.gatekeeper.sh/{one['version']}", "kind": one["kind"],
                   "metadata": {"name": f"case{number}-{one['name']}"}, "spec": spec}


def reviews():
    """Name and AdmissionReview of each object of each case."""
    for number, each in enumerate(CASES):
        for place, fields in enumerate(each["objects"]):
            asked = fields if "object" in fields else {"object": fields}
            yield f"{each['name']}: {place + 1}", review(f"Case{number}", **asked)


def review(kind, object, operation="CREATE", namespace=None, username="alice", group=None, subresource=None, dry_run=False):
    whole = object
    if isinstance(object, dict):
        whole = {"apiVersion": "v1", "kind": kind, **object}
        kind = whole["kind"] if isinstance(whole["kind"], str) and whole["kind"] else kind
        metadata = object.get("metadata")
        if namespace is None and isinstance(metadata, dict):
            namespace = metadata.get("namespace", "")
    version = whole.get("apiVersion") if isinstance(whole, dict) else "v1"
    parts = version.split("/") if isinstance(version, str) else ["v1"]
    if group is None:
        group = parts[0] if len(parts) > 1 else ""
    name = ""
    if isinstance(whole, dict) and isinstance(whole.get("metadata"), dict):
        name = whole["metadata"].get("name", "")
    request = {
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "kind": {"group": group, "version": parts[-1], "kind": kind},
        "resource": {"group": group, "version": parts[-1], "resource": kind.lower() + "s"},
        "name": name if isinstance(name, str) else "",
        "operation": operation,
        "userInfo": {"username": username},
        "object": whole,
        "oldObject": whole if operation in ("UPDATE", "DELETE") else None,
        "dryRun": dry_run,
    }
    if namespace:
        request["namespace"] = namespace
    if subresource:
        request["subResource"] = subresource
    if operation == "DELETE":
        request["object"] = None
    return json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request},
                      ensure_ascii=False, separators=(",", ":"))


PODS = [{"groups": [""], "versions": ["v1"], "kinds": ["Pod"]}]
VALUE = {"assign": {"value": 1}}


def refusals():
    """Mutators on their way in, most of them wrong: AdmissionReviews for /v1/admit, by name."""
    locations = ["", ".", "a.", "a..b", "a b", "a.5", "5", "a[", "a[]", "a[k", "a[k]", "a[k:", "a[k:]", "a[k:v", "a[k:v].", "a[k:v][l:w]",
                 "a[k:v.w]", "a[5:v]", "a[*:v]", "a.%", "a.$b", "'a", "a.'b", 'a."b\\', "a[k:99999999999999999999]",
                 "a[k:9223372036854775808]", "a*", "*", "a:b", "]", "a[k:*]", "a[k:v].k", "a[k:*].k", "metadata.labels.a",
                 "'metadata'.a", "spec.ключ", "spec.a[k:v].b"]
    for location in locations:
        yield f"the location {location}", "Assign", "v1", {"applyTo": PODS, "location": location, "parameters": VALUE}
    for location in ("spec.a", "metadata.finalizers", "metadata.labels.a.b", "metadata.labels[a:b].c", "metadata.labels.", "", "metadata.annotations.a"):
        yield f"the metadata {location}", "AssignMetadata", "v1", {"location": location, "parameters": {"assign": {"value": "x"}}}
    for value in (1, True, None, ["a"], {"a": "b"}, ""):
        yield f"the label {value}", "AssignMetadata", "v1beta1", {"location": "metadata.labels.a", "parameters": {"assign": {"value": value}}}
    for name, assigned in [
            ("nothing", {}), ("null", {"value": None}), ("two", {"value": 1, "fromMetadata": {"field": "name"}}),
            ("three", {"value": 1, "fromMetadata": {"field": "name"}, "externalData": {"provider": "p"}}),
            ("a field", {"fromMetadata": {"field": "uid"}}), ("no field", {"fromMetadata": {}}),
            ("name", {"fromMetadata": {"field": "name"}}),
            ("a default", {"externalData": {"provider": "p", "failurePolicy": "UseDefault"}}),
            ("a user", {"externalData": {"provider": "p", "dataSource": "Username"}})]:
        yield f"a source: {name}", "Assign", "v1", {"applyTo": PODS, "location": "spec.a", "parameters": {"assign": assigned}}
        yield f"an item's source: {name}", "Assign", "v1", {"applyTo": PODS, "location": "spec.a[k:v]", "parameters": {"assign": assigned}}
        yield f"a label's source: {name}", "AssignMetadata", "v1", {"location": "metadata.labels.a", "parameters": {"assign": assigned}}
    for value in ({"k": "v"}, {"k": "w"}, {}, [], "text", 5, 1.5, True, {"k": 5}, {"k": ["v"]}):
        for location in ("spec.a[k:v]", "spec.a[k:5]", "spec.a[k:*]"):
            yield f"an item {value} at {location}", "Assign", "v1alpha1", {
                "applyTo": PODS, "location": location, "parameters": {"assign": {"value": value}}}
    for tests in ([("spec", EXIST)], [("spec.b", EXIST)], [("spec.", EXIST)], [("", EXIST)], [("spec.a.b.c", EXIST)],
                  [("spec.a", EXIST), ("spec.a", MISSING)], [("spec.a", MISSING), ("spec.a.b", EXIST)],
                  [("spec.a.b", EXIST), ("spec.a", MISSING)], [("spec", MISSING), ("spec.a", MISSING), ("spec.a.b", EXIST)],
                  [("spec.a.b", MISSING), ("spec", EXIST)], [("'spec'.a", EXIST)], [("spec.a", "Maybe")], [("spec.a", "")]):
        parameters = with_tests({"assign": {"value": 1}}, tests)
        yield f"tests {tests}", "Assign", "v1", {"applyTo": PODS, "location": "spec.a.b", "parameters": parameters}
    for apply in (None, [], [{}], [{"groups": [""], "versions": ["v1"]}], [{"groups": [], "versions": ["v1"], "kinds": ["Pod"]}],
                  [{**PODS[0], "operations": ["DELETE"]}], [{**PODS[0], "operations": ["CREATE", "CREATE"]}],
                  [{**PODS[0], "operations": ["*", "UPDATE"]}], [PODS[0], {**PODS[0], "operations": ["x", "*", "*"]}]):
        for kind, parameters in (("Assign", VALUE), ("ModifySet", {}), ("AssignImage", {"assignTag": ":v1"})):
            spec = {"location": "spec.a", "parameters": parameters}
            if apply is not None:
                spec["applyTo"] = apply
            yield f"{kind} to {apply}", kind, "v1alpha1", spec
    for location in ("", "spec.a[k:v]", "spec.a[k:v].k", "metadata.a", "spec.", "spec.a[k:*].b"):
        yield f"ModifySet at {location}", "ModifySet", "v1", {"applyTo": PODS, "location": location, "parameters": {"values": {"fromList": [1]}}}
        yield f"AssignImage at {location}", "AssignImage", "v1alpha1", {"applyTo": PODS, "location": location, "parameters": {"assignTag": ":v1"}}
    for domain in ("a", "a.b", "localhost", "localhost:80", "a.b:80", "a.b:x", "a.b/c", "-a.b", "a.b.", "a_b.c", "A.b", "a..b", "a.b:", "x.y\n"):
        yield f"the domain {domain}", "AssignImage", "v1alpha1", {"applyTo": PODS, "location": "spec.a", "parameters": {"assignDomain": domain}}
    for path in ("a", "a/b", "a__b", "a___b", "a.b/c", "localhost/a", "A", "a/", "/a", "a//b", "a--b", "a-.b", "a:b", "a@b", "a b", "gcr.io"):
        yield f"the path {path}", "AssignImage", "v1alpha1", {"applyTo": PODS, "location": "spec.a", "parameters": {"assignPath": path}}
        yield f"the path {path} with a domain", "AssignImage", "v1alpha1", {
            "applyTo": PODS, "location": "spec.a", "parameters": {"assignPath": path, "assignDomain": "a.b"}}
    for tag in ("v1", ":v1", ":", ":-a", ":" + "a" * 128, ":" + "a" * 129, ":a.b-c_d", "@sha256:" + "a" * 64, "@sha256:ab", "@sha256", ":v1@sha256:" + "a" * 64,
                "@a+b.c:" + "0" * 32):
        yield f"the tag {tag}", "AssignImage", "v1alpha1", {"applyTo": PODS, "location": "spec.a", "parameters": {"assignTag": tag}}
    yield "no part of an image", "AssignImage", "v1alpha1", {"applyTo": PODS, "location": "spec.a", "parameters": {}}
    yield "no spec", "Assign", "v1", None
    yield "a location that is a number", "Assign", "v1", {"location": 5}
    yield "applyTo that is no list", "Assign", "v1", {"applyTo": {}, "location": "a"}
    yield "a match that is a text", "Assign", "v1", {"match": "x", "location": "a"}
    yield "parameters that are a list", "ModifySet", "v1", {"parameters": [], "location": "a"}
    yield "groups that are a text", "Assign", "v1", {"applyTo": [{"groups": "x"}], "location": "a"}
    yield "a kind that is a number", "Assign", "v1", {"applyTo": [{"kinds": [5]}], "location": "a"}
    yield "a tag that is a number", "AssignImage", "v1alpha1", {"parameters": {"assignTag": 5}, "location": "a"}
    yield "a version that is not there", "AssignImage", "v1", {"location": "a"}
    yield "a kind that is not there", "Unassign", "v1", {"location": "a"}


def admissions():
    """Name and AdmissionReview of each of refusals()."""
    for name, kind, version, spec in refusals():
        thing = {"metadata": {"name": "m"}}
        if spec is not None:
            thing["spec"] = spec
        yield name, review(kind, {"apiVersion": f"mutations.gatekeeper.sh/{version}", "kind": kind, **thing})
    yield "a long name", review("Assign", {"apiVersion": "mutations.gatekeeper.sh/v1", "kind": "Assign", "metadata": {"name": "a" * 64},
                                           "spec": {"applyTo": PODS, "location": "spec.a", "parameters": VALUE}})
