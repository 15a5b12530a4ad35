0package a

identical(obj, review) {
	obj.metadata.namespace == review.object.metadata.namespace
	obj.metadata.name == review.object.metadata.name
}

violation[{"msg": msg}] {
	host := input.review.object.spec.rules[_].host
	other := data.inventory.namespace[ns][v]["Ingress"][name]
	other.spec.rules[_].host == host
	not identical(other, input.review)
	msg := sprintf("host <%v> taken by %v/%v", [host, ns, name])
}
#input
{"review": {"object": {"metadata": {"name": "n", "namespace": "a"}, "spec": {"rules": [{"host": "h"}, {"host": 1.0}]}}}}
#data
[{"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "x", "namespace": "a"}, "spec": {"rules": [{"host": "h"}, {"host": 1}]}},
 {"apiVersion": "extensions/v1beta1", "kind": "Ingress", "metadata": {"name": "y", "namespace": "b"}, "spec": {"rules": {"k": {"host": "h"}}}}]
