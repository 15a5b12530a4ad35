# What `portcullis inventory` asks of a running server, over the Unix socket in its data folder: tools/admin_server.h.
# Fields may be added at the end; client and server of neighbouring versions then understand each other.

@0xb5e4c1d29f7a6038;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("portcullis::tools::capnp_admin");

interface Admin {
  statistics @0 () -> (failure :Failure, kinds :List(Kind), indexes :List(Index), diskBytes :UInt64);
  # The objects that pass the filter, page by page.
  visit @1 (filter :Filter, sink :Sink) -> (failure :Failure);
  # The objects in which the definition's path reaches the key. `definition` as index/definition.h writes it, `key` is JSON.
  query @2 (definition :Text, key :Text, sink :Sink) -> (failure :Failure, byIndex :Bool);
  check @3 (progress :Progress) -> (failure :Failure, report :CheckReport);
  # Writes the file where the server is.
  snapshot @4 (path :Text, progress :Progress) -> (failure :Failure, objects :UInt64);
  # The plan of a template, or of all when the name is empty.
  explain @5 (template :Text, json :Bool) -> (failure :Failure, text :Text);
  # What the audit keeps: pages of keys and records as audit/verdict_store.h has them.
  findings @6 (filter :FindingsFilter, sink :Sink) -> (failure :Failure);
}

interface Sink {
  # Not `more`: the client has had enough.
  page @0 (objects :List(Object)) -> (more :Bool);
}

interface Progress {
  report @0 (done :UInt64, total :UInt64);  # total 0: unknown.
}

# An Error of base/error.h. Absent: it went well.
struct Failure {
  code @0 :UInt16;
  message @1 :Text;
}

# Empty parts match everything.
struct Filter {
  namespace @0 :Text;
  groupVersion @1 :Text;
  kind @2 :Text;
  name @3 :Text;
}

# Empty parts match everything.
struct FindingsFilter {
  constraintKind @0 :Text;
  constraintName @1 :Text;
  namespace @2 :Text;
  objectKind @3 :Text;
}

struct Object {
  key @0 :Data;     # store/object_key.h
  record @1 :Data;  # document/encoding.h
}

struct Kind {
  group @0 :Text;
  version @1 :Text;
  kind @2 :Text;
  objects @3 :UInt64;
  encodedBytes @4 :UInt64;
  resourceVersion @5 :Text;
  complete @6 :Bool;
}

struct Index {
  id @0 :UInt32;
  definition @1 :Text;
  state @2 :State;
  users @3 :List(Text);
  entries @4 :UInt64;
  builtObjects @5 :UInt64;
  lookups @6 :UInt64;
  bytes @7 :UInt64;
  totalObjects @8 :UInt64;
  keys @9 :Keys;  # Absent: no statistics were taken yet.

  enum State {
    building @0;
    ready @1;
    dropping @2;
  }
}

# index/key_statistics.h
struct Keys {
  entries @0 :UInt64;
  distinct @1 :UInt64;
  changes @2 :UInt64;
  frequent @3 :List(Count);

  struct Count {
    key @0 :Data;
    entries @1 :UInt64;
  }
}

struct CheckReport {
  objects @0 :UInt64;
  entries @1 :UInt64;
  problems @2 :List(Text);
  problemCount @3 :UInt64;
}
