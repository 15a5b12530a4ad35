1package a

import data.inventory.cluster.v1 as cluster

names := [name | some name, object in cluster.Namespace; object.metadata.labels.x == input.x]

missing contains ns if {
	some ns
	data.inventory.namespace[ns]
	not cluster.Namespace[ns]
}

count_of[kind] := count(objects) if some kind, objects in data.inventory.namespace.a.v1

taken contains [ns, name] if {
	other := data.inventory.namespace[ns]["v1"].Service[name]
	other.spec.selector == input.selector
}

owner := data.inventory.namespace[input.ns][_].Pod[input.x].metadata.uid

all := {p | walk(data.inventory, [p, v]); is_number(v)}
#input
{"x": "1", "ns": "a", "selector": {"k": "v"}}
#data
[{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a", "labels": {"x": "1"}}},
 {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "a"}, "spec": {"selector": {"k": "v"}, "port": 8e1}},
 {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "a-b"}, "spec": {"selector": {"k": "v"}}},
 {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "1", "namespace": "a", "uid": "u"}, "spec": {"n": 9007199254740993}}]
