#include "index/definition.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "document/arena.h"
#include "document/json.h"

namespace portcullis::index {
namespace {

using document::Value;

constexpr std::string_view kNamespacedStart = "namespace/*/*/";
constexpr std::string_view kClusterStart = "cluster/*/";
constexpr std::string_view kAny = "*";
constexpr std::string_view kWholeObject = "object";
constexpr std::string_view kProgramStart = "program\n";

bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool IsNamePart(char c) {
  return IsNameStart(c) || (c >= '0' && c <= '9');
}

bool IsName(std::string_view text) {
  return !text.empty() && IsNameStart(text[0]) && std::ranges::all_of(text, IsNamePart);
}

void AppendPath(const std::vector<PathStep>& path, std::string* out) {
  bool first = true;
  for (const PathStep& step : path) {
    if (step.kind == PathStep::Kind::kAnyItem) {
      *out += "[_]";
    } else if (step.kind == PathStep::Kind::kEntry) {
      *out += "[key]";
    } else if (IsName(step.field)) {
      if (!first) {
        *out += '.';
      }
      *out += step.field;
    } else {
      *out += '[';
      document::AppendJsonString(step.field, document::JsonStyle::kCompact, out);
      *out += ']';
    }
    first = false;
  }
}

std::unexpected<Error> Malformed(std::string_view text, std::string_view why) {
  return Fail(ErrorCode::kInvalidArgument,
              "index definition \"" + std::string(text) + "\": " + std::string(why));
}

// Takes one bracketed step from the front of `rest`, which starts with '['.
Result<PathStep> TakeBracket(std::string_view text, std::string_view* rest) {
  if (rest->starts_with("[_]")) {
    rest->remove_prefix(3);
    return PathStep{.kind = PathStep::Kind::kAnyItem, .field = {}};
  }
  if (rest->starts_with("[key]")) {
    rest->remove_prefix(5);
    return PathStep{.kind = PathStep::Kind::kEntry, .field = {}};
  }
  if (!rest->starts_with("[\"")) {
    return Malformed(text, "after [ comes _, key or a quoted name");
  }
  std::size_t end = 2;
  while (end < rest->size() && (*rest)[end] != '"') {
    end += (*rest)[end] == '\\' ? 2 : 1;
  }
  if (end + 1 >= rest->size() || (*rest)[end + 1] != ']') {
    return Malformed(text, "a quoted name does not end with \"]");
  }
  document::Arena arena;
  const Value name = TRY(document::ParseJson(rest->substr(1, end), arena));
  rest->remove_prefix(end + 2);
  return PathStep{.kind = PathStep::Kind::kField, .field = std::string(name.string())};
}

Result<std::vector<PathStep>> ParsePath(std::string_view text, std::string_view rest) {
  std::vector<PathStep> path;
  if (rest == kWholeObject) {
    return path;
  }
  while (!rest.empty()) {
    if (path.size() == kMaxPathSteps) {
      return Malformed(text, "more than " + std::to_string(kMaxPathSteps) + " steps");
    }
    if (rest[0] == '[') {
      path.push_back(TRY(TakeBracket(text, &rest)));
      continue;
    }
    if (!path.empty()) {
      if (rest[0] != '.') {
        return Malformed(text, "expected . or [ between steps");
      }
      rest.remove_prefix(1);
    }
    const auto end = std::ranges::find_if_not(rest, IsNamePart);
    const auto size = static_cast<std::size_t>(end - rest.begin());
    if (!IsName(rest.substr(0, size))) {
      return Malformed(text, "a step is not a name");
    }
    path.push_back({.kind = PathStep::Kind::kField, .field = std::string(rest.substr(0, size))});
    rest.remove_prefix(size);
  }
  if (path.empty()) {
    return Malformed(text, "the path is empty");
  }
  if (std::ranges::count(path, PathStep::Kind::kEntry, &PathStep::kind) > 1) {
    return Malformed(text, "more than one [key]");
  }
  return path;
}

class Collector {
 public:
  Collector(document::Arena& arena, std::vector<Value>* keys) : arena_(arena), keys_(keys) {}

  // `entry`: where the path's kEntry was taken, once it was.
  void Collect(std::span<const PathStep> path, const Value& value, const Value& entry) {
    if (value.is_undefined()) {
      return;
    }
    if (path.empty()) {
      keys_->push_back(entry.is_defined() ? Pair(entry, value) : value);
      return;
    }
    const PathStep::Kind kind = path[0].kind;
    if (kind == PathStep::Kind::kField) {
      if (value.is_object()) {
        Collect(path.subspan(1), value.Find(path[0].field), entry);
      }
      return;
    }
    const bool object = value.is_object();
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      const Value key = object ? value.KeyAt(i) : Value::Int(i);
      Collect(path.subspan(1), object ? value.ValueAt(i) : value.ItemAt(i),
              kind == PathStep::Kind::kEntry ? key : entry);
    }
  }

 private:
  Value Pair(const Value& key, const Value& value) {
    const std::span<Value> items = arena_.AllocateArray<Value>(2);
    items[0] = key;
    items[1] = value;
    return Value::Array(items);
  }

  document::Arena& arena_;
  std::vector<Value>* keys_;
};

}  // namespace

std::string Definition::ToString() const {
  std::string text(scope == store::Scope::kNamespaced ? kNamespacedStart : kClusterStart);
  text += kind.empty() ? kAny : std::string_view(kind);
  text += ": ";
  if (!program.empty()) {
    text.append(kProgramStart).append(program);
  } else if (path.empty()) {
    text += kWholeObject;
  } else {
    AppendPath(path, &text);
  }
  return text;
}

std::string Definition::Summary() const {
  std::string text = ToString();
  if (program.empty()) {
    return text;
  }
  text.resize(text.size() - program.size() - kProgramStart.size());
  const std::size_t end = program.find('\n');
  return text + (program.starts_with("# ") ? program.substr(2, end - 2) : "program");
}

Result<Definition> Definition::Parse(std::string_view text) {
  Definition definition;
  std::string_view rest = text;
  if (rest.starts_with(kNamespacedStart)) {
    definition.scope = store::Scope::kNamespaced;
    rest.remove_prefix(kNamespacedStart.size());
  } else if (rest.starts_with(kClusterStart)) {
    definition.scope = store::Scope::kCluster;
    rest.remove_prefix(kClusterStart.size());
  } else {
    return Malformed(text, "it starts with namespace/*/*/ or cluster/*/");
  }
  const std::size_t colon = rest.find(": ");
  if (colon == std::string_view::npos || colon == 0) {
    return Malformed(text, "no kind, or no \": \" after it");
  }
  const std::string_view kind = rest.substr(0, colon);
  if (kind != kAny) {
    if (kind.find_first_of(std::string_view("/\0", 2)) != std::string_view::npos) {
      return Malformed(text, "the kind is not a name");
    }
    definition.kind = kind;
  }
  rest.remove_prefix(colon + 2);
  if (rest.starts_with(kProgramStart)) {
    definition.program = rest.substr(kProgramStart.size());
    if (definition.program.empty()) {
      return Malformed(text, "the program is empty");
    }
    return definition;
  }
  definition.path = TRY(ParsePath(text, rest));
  return definition;
}

bool Definition::Covers(const store::ObjectKey& key) const {
  return scope == key.scope && (kind.empty() || kind == key.kind);
}

void ExtractKeys(const Definition& definition, const Value& object, document::Arena& arena,
                 std::vector<Value>* keys) {
  keys->clear();
  if (definition.path.empty()) {
    keys->push_back(Value::Null());
    return;
  }
  Collector(arena, keys).Collect(definition.path, object, Value());
  std::ranges::sort(*keys, [](const Value& a, const Value& b) { return Compare(a, b) < 0; });
  const auto repeated =
      std::ranges::unique(*keys, [](const Value& a, const Value& b) { return Equal(a, b); });
  keys->erase(repeated.begin(), repeated.end());
}

}  // namespace portcullis::index
