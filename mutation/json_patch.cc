#include "mutation/json_patch.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "document/json.h"
#include "mutation/go_value.h"
#include "rules/rego/grouping.h"

namespace portcullis::mutation {
namespace {

using document::Value;

bool IsSame(const Value& a, const Value& b) {
  if (rego::SameHandle(a, b)) {
    return true;
  }
  if (a.is_number() && b.is_number()) {
    return GoEqual(a, b) ||
           (!(a.is_int() && b.is_int()) && document::ToDouble(a) == document::ToDouble(b));
  }
  if (a.type() != b.type() || a.size() != b.size()) {
    return false;
  }
  if (a.is_array()) {
    for (std::uint32_t i = 0; i < a.size(); ++i) {
      if (!IsSame(a.ItemAt(i), b.ItemAt(i))) {
        return false;
      }
    }
    return true;
  }
  if (a.is_object()) {
    for (std::uint32_t i = 0; i < a.size(); ++i) {
      if (a.KeyAt(i).string() != b.KeyAt(i).string() || !IsSame(a.ValueAt(i), b.ValueAt(i))) {
        return false;
      }
    }
    return true;
  }
  return GoEqual(a, b);
}

class Differ {
 public:
  explicit Differ(std::string* out) : out_(out) {}

  void Compare(const Value& before, const Value& after) {
    if (before.is_object() && after.is_object()) {
      CompareObjects(before, after);
    } else if (before.is_array() && after.is_array()) {
      CompareArrays(before, after);
    } else if (!IsSame(before, after)) {
      Add("replace", &after);
    }
  }

  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  void CompareObjects(const Value& before, const Value& after) {
    if (rego::SameHandle(before, after)) {
      return;
    }
    std::uint32_t i = 0;
    std::uint32_t j = 0;
    while (i < before.size() || j < after.size()) {
      const bool old_only = j == after.size() || (i < before.size() && before.KeyAt(i).string() <
                                                                           after.KeyAt(j).string());
      const bool new_only =
          !old_only && (i == before.size() || after.KeyAt(j).string() < before.KeyAt(i).string());
      const std::size_t length = path_.size();
      AppendKey(old_only ? before.KeyAt(i).string() : after.KeyAt(j).string());
      if (old_only) {
        Add("remove", nullptr);
      } else if (const Value value = after.ValueAt(j); new_only) {
        Add("add", &value);
      } else {
        Compare(before.ValueAt(i), value);
      }
      path_.resize(length);
      i += new_only ? 0 : 1;
      j += old_only ? 0 : 1;
    }
  }

  // What both begin and end with is left out; between, items are compared in pairs, and the rest is added or removed.
  void CompareArrays(const Value& before, const Value& after) {
    if (rego::SameHandle(before, after)) {
      return;
    }
    const std::uint32_t common = std::min(before.size(), after.size());
    std::uint32_t begin = 0;
    while (begin < common && IsSame(before.ItemAt(begin), after.ItemAt(begin))) {
      ++begin;
    }
    std::uint32_t end = 0;
    while (end < common - begin &&
           IsSame(before.ItemAt(before.size() - 1 - end), after.ItemAt(after.size() - 1 - end))) {
      ++end;
    }
    const std::uint32_t old_end = before.size() - end;
    const std::uint32_t new_end = after.size() - end;
    const std::size_t length = path_.size();
    std::uint32_t at = begin;
    for (; at < std::min(old_end, new_end); ++at) {
      AppendIndex(at);
      Compare(before.ItemAt(at), after.ItemAt(at));
      path_.resize(length);
    }
    for (std::uint32_t gone = old_end; gone > at; --gone) {
      AppendIndex(gone - 1);
      Add("remove", nullptr);
      path_.resize(length);
    }
    for (; at < new_end; ++at) {
      const Value value = after.ItemAt(at);
      AppendIndex(at);
      Add("add", &value);
      path_.resize(length);
    }
  }

  void AppendKey(std::string_view key) {
    path_ += '/';
    for (const char c : key) {
      if (c == '~') {
        path_ += "~0";
      } else if (c == '/') {
        path_ += "~1";
      } else {
        path_ += c;
      }
    }
  }
  void AppendIndex(std::uint32_t index) { path_ += "/" + std::to_string(index); }

  void Add(std::string_view operation, const Value* value) {
    *out_ += count_ == 0 ? R"({"op":")" : R"(,{"op":")";
    *out_ += operation;
    *out_ += R"(","path":)";
    document::AppendJsonString(path_, document::JsonStyle::kGo, out_);
    if (value != nullptr) {
      *out_ += R"(,"value":)";
      AppendGoJson(*value, out_);
    }
    *out_ += '}';
    ++count_;
  }

  std::string* const out_;
  std::string path_;
  std::size_t count_ = 0;
};

}  // namespace

std::size_t AppendJsonPatch(const Value& before, const Value& after, std::string* out) {
  *out += '[';
  Differ differ(out);
  differ.Compare(before, after);
  *out += ']';
  return differ.count();
}

}  // namespace portcullis::mutation
