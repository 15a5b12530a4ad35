// Annotations as JSON, in the form in which OPA's rules have them (v1/ast/annotations_json.go): names within are references
// there, and some members stand in an order of their own.

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "document/json.h"
#include "rules/rego/ast_json.h"
#include "rules/rego/compilation.h"

namespace portcullis::rego {
namespace {

using Members = std::vector<std::pair<std::string, std::string>>;  // Name and JSON.

void AppendText(std::string_view text, std::string* out) {
  document::AppendJsonString(text, document::JsonStyle::kGo, out);
}

std::string ObjectJson(const Members& members) {
  std::string json = "{";
  for (const auto& [name, value] : members) {
    json += json.size() > 1 ? "," : "";
    AppendText(name, &json);
    json += ":" + value;
  }
  return json + "}";
}

template <class Each>
std::string ListJson(const Term& list, const Each& each) {
  std::string json = "[";
  for (const TermPtr& item : list.items) {
    json += json.size() > 1 ? "," : "";
    json += each(*item);
  }
  return json + "]";
}

template <class Each>
Members MembersOf(const Term& object, const Each& each) {
  Members members;
  for (std::size_t i = 0; i + 1 < object.items.size(); i += 2) {
    const std::string& name = object.items[i]->text;
    members.emplace_back(name, each(name, *object.items[i + 1]));
  }
  std::ranges::sort(members);
  return members;
}

// The value itself. REQUIRES: JSON.
std::string PlainJson(const Term& term) {
  std::string json;
  switch (term.kind) {
    case TermKind::kNull:
      return "null";
    case TermKind::kBoolean:
      return term.boolean ? "true" : "false";
    case TermKind::kNumber:
      return term.text;
    case TermKind::kArray:
      return ListJson(term, PlainJson);
    case TermKind::kObject:
      return ObjectJson(
          MembersOf(term, [](const std::string&, const Term& value) { return PlainJson(value); }));
    default:
      AppendText(term.text, &json);
      return json;
  }
}

// ["input", "x"] as the reference input.x.
std::string ReferenceJson(const Term& names) {
  bool first = true;
  return ListJson(names, [&first](const Term& name) {
    const bool is_head = std::exchange(first, false);
    return R"({"type":")" + std::string(is_head ? "var" : KindName(name.kind)) + R"(","value":)" +
           PlainJson(name) + "}";
  });
}

void MoveToFront(Members& members, std::string_view name) {
  const auto found = std::ranges::find(members, name, &Members::value_type::first);
  if (found != members.end()) {
    std::rotate(members.begin(), found, found + 1);
  }
}

std::string AuthorJson(const Term& author) {
  Members members =
      MembersOf(author, [](const std::string&, const Term& value) { return PlainJson(value); });
  MoveToFront(members, "name");
  return ObjectJson(members);
}

std::string SchemaJson(const Term& schema) {
  Members members = MembersOf(schema, [](const std::string& name, const Term& value) {
    return name == "definition" ? PlainJson(value) : ReferenceJson(value);
  });
  MoveToFront(members, "path");
  return ObjectJson(members);
}

// The part of the rule's name that is constant.
std::string PathOf(const Rule& rule) {
  Term path;
  path.kind = TermKind::kRef;
  for (std::size_t i = 0; i < GroundPrefixSize(*rule.reference); ++i) {
    path.items.push_back(Clone(*rule.reference->items[i]));
  }
  return ToString(path);
}

}  // namespace

// The rules of one name take the annotations above them in their order, each the last of those that it has.
std::vector<const Annotation*> AnnotationsOf(const Rule& rule) {
  if (rule.module == nullptr || rule.module->annotations.empty()) {
    return {};
  }
  const std::string path = PathOf(rule);
  std::vector<const Annotation*> open;
  for (const Annotation& each : rule.module->annotations) {
    if ((each.scope == "document" || each.scope == "rule") && each.rule != nullptr &&
        PathOf(*each.rule) == path) {
      open.push_back(&each);
    }
  }
  if (open.empty()) {
    return {};
  }
  for (const std::unique_ptr<Rule>& each : rule.module->rules) {
    if (PathOf(*each) != path) {
      continue;
    }
    std::vector<const Annotation*> taken;
    auto last = open.end();
    for (auto at = open.begin(); at != open.end(); ++at) {
      const bool own = (*at)->scope == "rule";
      if (!own || (*at)->location.row < each->location.row) {
        taken.push_back(*at);
        last = own ? at : last;
      }
    }
    if (each.get() == &rule) {
      return taken;
    }
    if (last != open.end()) {
      open.erase(last);
    }
  }
  return {};
}

std::string ToJson(const Annotation& annotation) {
  Members members = MembersOf(*annotation.content, [](const std::string& name, const Term& value) {
    return name == "authors"   ? ListJson(value, AuthorJson)
           : name == "schemas" ? ListJson(value, SchemaJson)
                               : PlainJson(value);
  });
  std::string scope;
  AppendText(annotation.scope, &scope);
  members.emplace_back("scope", std::move(scope));
  std::ranges::sort(members);
  return ObjectJson(members);
}

}  // namespace portcullis::rego
