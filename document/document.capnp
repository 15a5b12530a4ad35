# The form of an object at rest: see document/encoding.h, which says what the nodes mean. Frozen: fields are only added.

@0xb1f4a6c05d2e8397;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("portcullis::document::wire");

struct Document {
  version @0 :UInt32;

  # The identity of a Kubernetes object, to be read without the nodes; empty for other values.
  uid @1 :Text;
  resourceVersion @2 :Text;
  apiVersion @3 :Text;
  kind @4 :Text;
  namespace @5 :Text;
  name @6 :Text;

  nodes @7 :List(UInt64);
  text @8 :Data;
}
