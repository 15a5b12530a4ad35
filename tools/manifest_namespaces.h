// The Namespaces among manifests, for commands that match mutators without a cluster.

#pragma once

#include <string_view>
#include <vector>

#include "document/arena.h"
#include "document/value.h"

namespace portcullis::tools {

// Namespaces among the manifests: what namespaceSelector looks at.
class ManifestNamespaces {
 public:
  void Add(const document::Value& object) {
    if (object.GetString({"kind"}) == "Namespace" && object.GetString({"apiVersion"}) == "v1") {
      known_.push_back(object);
    }
  }
  // One that is not there is taken for a Namespace without labels.
  [[nodiscard]] document::Value Find(const document::Value& object, document::Arena& arena) const {
    if (object.GetString({"kind"}) == "Namespace" && object.GetString({"apiVersion"}) == "v1") {
      return object;
    }
    const std::string_view name = object.GetString({"metadata", "namespace"});
    if (name.empty()) {
      return {};
    }
    for (const document::Value& each : known_) {
      if (each.GetString({"metadata", "name"}) == name) {
        return each;
      }
    }
    document::ObjectBuilder metadata(arena);
    metadata.Add("name", document::Value::String(name));
    document::ObjectBuilder made(arena);
    made.Add("apiVersion", document::Value::String("v1"));
    made.Add("kind", document::Value::String("Namespace"));
    made.Add("metadata", metadata.Finish());
    return made.Finish();
  }

 private:
  std::vector<document::Value> known_;
};

}  // namespace portcullis::tools
