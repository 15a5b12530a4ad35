# What the blocks of a snapshot file hold: store/snapshot_file.h.

@0xd7c1a5b0f3e84692;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("portcullis::store::capnp_snapshot");

struct Block {
  objects @0 :List(Object);
  kinds @1 :List(Kind);
}

struct Object {
  key @0 :Data;     # store/object_key.h. With an empty name: the parent marker of a kind.
  record @1 :Data;  # document/encoding.h. Empty for a marker.
}

struct Kind {
  apiVersion @0 :Text;
  kind @1 :Text;
  resourceVersion @2 :Text;
  complete @3 :Bool;
}
