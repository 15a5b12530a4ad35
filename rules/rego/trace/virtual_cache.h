// What rules, functions and comprehensions have given so far in one query. Internal to rules/rego/trace.

#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rules/rego/trace/terms.h"

namespace portcullis::rego::trace {

// Results by reference; `with` begins a new frame.
class VirtualCache {
 public:
  // A reference, and what it was narrowed by behind that: a value, or nothing where any would do.
  struct Key {
    std::vector<Value> path;
    std::vector<Value> scope;
  };
  struct Result {
    Value value;
    bool undefined = false;  // It is known that there is none.
  };

  VirtualCache() { Push(); }
  void Push() { frames_.emplace_back(); }
  void Pop() { frames_.pop_back(); }
  // Neither a value nor undefined: not known.
  [[nodiscard]] Result Find(const Key& key) const {
    const auto found = frames_.back().find(key);
    return found == frames_.back().end() ? Result{} : found->second;
  }
  void Put(const Key& key, const Value& value) {
    Result& result = frames_.back()[key];
    if (value.is_undefined()) {
      result.undefined = true;
    } else {
      result.value = value;
    }
  }

 private:
  struct Less {
    bool operator()(const Key& a, const Key& b) const {
      const PathLess less;
      if (less(a.path, b.path) || less(b.path, a.path)) {
        return less(a.path, b.path);
      }
      return less(a.scope, b.scope);
    }
  };
  std::vector<std::map<Key, Result, Less>> frames_;
};

// Comprehensions whose solutions were found once for all that their keys can be.
struct ComprehensionCache {
  using Groups = std::map<std::vector<Value>, Value, PathLess>;
  std::vector<std::map<const Term*, Groups>> frames = std::vector<std::map<const Term*, Groups>>(1);
};

}  // namespace portcullis::rego::trace
