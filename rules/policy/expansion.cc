#include "rules/policy/expansion.h"

#include <algorithm>
#include <utility>

#include "document/json.h"
#include "rules/policy/kubernetes_text.h"

namespace portcullis::policy {
namespace {

using document::GroupVersionKind;
using document::Value;

constexpr int kMaxDepth = 30;

std::unexpected<Error> Invalid(std::string text) {
  return Fail(ErrorCode::kInvalidArgument, std::move(text));
}

std::vector<std::string> Strings(const Value& list) {
  std::vector<std::string> strings;
  for (std::uint32_t i = 0; list.is_array() && i < list.size(); ++i) {
    if (list.ItemAt(i).is_string()) {
      strings.emplace_back(list.ItemAt(i).string());
    }
  }
  return strings;
}

// The same object with one member set; undefined: taken out.
Value WithMember(const Value& object, std::string_view name, const Value& value,
                 document::Arena& arena) {
  document::ObjectBuilder members(arena);
  for (std::uint32_t i = 0; object.is_object() && i < object.size(); ++i) {
    if (object.KeyAt(i).string() != name) {
      members.Add(object.KeyAt(i), object.ValueAt(i));
    }
  }
  if (value.is_defined()) {
    members.Add(Value::String(arena.CopyString(name)), value);
  }
  return members.Finish();
}

// The object that `path` ("spec.template") leads to.
Result<Value> FindSource(const Value& object, const std::string& path) {
  Value at = object;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    if (!at.is_object()) {
      return Invalid("could not extract source field from unstructured: ." +
                     path.substr(0, begin == 0 ? 0 : begin - 1) + " accessor error: " + GoText(at) +
                     " is of the type " + std::string(GoTypeName(at)) +
                     ", expected map[string]interface {}");
    }
    at = at.Find(std::string_view(path).substr(begin, end - begin));
    if (at.is_undefined()) {
      return Invalid("could not find source field " + Quote(path) + " in resource " +
                     std::string(object.GetString({"metadata", "name"})));
    }
    begin = end + 1;
  }
  if (at.is_object()) {
    return at;
  }
  return Invalid("could not extract source field from unstructured: ." + path +
                 " accessor error: " + GoText(at) + " is of the type " +
                 std::string(GoTypeName(at)) + ", expected map[string]interface {}");
}

Value OwnerReferences(const Value& metadata, const Value& parent, document::Arena& arena) {
  document::ArrayBuilder references(arena);
  const Value existing = metadata.Find("ownerReferences");
  const std::string_view api_version = parent.GetString({"apiVersion"});
  const std::string_view kind = parent.GetString({"kind"});
  const std::string_view name = parent.GetString({"metadata", "name"});
  for (std::uint32_t i = 0; existing.is_array() && i < existing.size(); ++i) {
    const Value reference = existing.ItemAt(i);
    if (reference.GetString({"apiVersion"}) == api_version &&
        reference.GetString({"kind"}) == kind && reference.GetString({"name"}) == name) {
      return existing;
    }
    references.Add(reference);
  }
  if (api_version.empty() || kind.empty() || name.empty()) {
    return existing;
  }
  document::ObjectBuilder reference(arena);
  reference.Add("apiVersion", Value::String(api_version));
  reference.Add("kind", Value::String(kind));
  reference.Add("name", Value::String(name));
  reference.Add("uid", Value::String(""));
  references.Add(reference.Finish());
  return references.Finish();
}

}  // namespace

std::string GoTypeText(const GroupVersionKind& type) {
  return type.group + "/" + type.version + ", Kind=" + type.kind;
}

std::string ImpliedMessage(const Resultant& resultant, std::string_view message) {
  return "[Implied by " + resultant.template_name + "] " + std::string(message);
}

Result<Expander::Template> Expander::ParseTemplate(const Value& object) {
  Template result;
  const Value spec = object.Find("spec");
  result.name = std::string(object.GetString({"metadata", "name"}));
  result.source = std::string(spec.GetString({"templateSource"}));
  result.enforcement_action = std::string(spec.GetString({"enforcementAction"}));
  result.makes = {.group = std::string(spec.GetString({"generatedGVK", "group"})),
                  .version = std::string(spec.GetString({"generatedGVK", "version"})),
                  .kind = std::string(spec.GetString({"generatedGVK", "kind"}))};
  const Value applies = spec.Find("applyTo");
  for (std::uint32_t i = 0; applies.is_array() && i < applies.size(); ++i) {
    const Value entry = applies.ItemAt(i);
    for (const std::string& group : Strings(entry.Find("groups"))) {
      for (const std::string& version : Strings(entry.Find("versions"))) {
        for (const std::string& kind : Strings(entry.Find("kinds"))) {
          result.applies_to.push_back({.group = group, .version = version, .kind = kind});
        }
      }
    }
  }
  constexpr std::size_t kMaxName = 63;
  const std::string subject = "ExpansionTemplate " + result.name;
  if (result.name.empty()) {
    return Invalid("ExpansionTemplate has empty name field");
  }
  if (result.name.size() > kMaxName) {
    return Invalid("ExpansionTemplate name must be less than 64 characters");
  }
  if (result.source.empty()) {
    return Invalid(subject + " has empty source field");
  }
  if (result.makes == GroupVersionKind{}) {
    return Invalid(subject + " has empty generatedGVK field");
  }
  if (!applies.is_array() || applies.size() == 0) {
    return Invalid(subject + " must specify ApplyTo");
  }
  if (std::ranges::find(result.applies_to, result.makes) != result.applies_to.end()) {
    return Invalid(subject + " generates GVK " + GoTypeText(result.makes) +
                   ", but also applies to that same GVK");
  }
  return result;
}

// Whether something of the type `from` is, in the end, made into what `to` applies to.
bool Expander::Leads(const GroupVersionKind& from, const Template& to) const {
  std::vector<GroupVersionKind> reached = {from};
  for (std::size_t i = 0; i < reached.size(); ++i) {
    const GroupVersionKind type = reached[i];
    if (std::ranges::find(to.applies_to, type) != to.applies_to.end()) {
      return true;
    }
    for (const Template& each : templates_) {
      if (std::ranges::find(each.applies_to, type) != each.applies_to.end() &&
          std::ranges::find(reached, each.makes) == reached.end()) {
        reached.push_back(each.makes);
      }
    }
  }
  return false;
}

Result<Expander> Expander::Make(std::span<const Value> templates) {
  Expander expander;
  for (const Value& object : templates) {
    expander.source_ += document::ToJson(object) + '\n';
    const std::string context =
        "error upserting template " + std::string(object.GetString({"metadata", "name"}));
    Template parsed = TRY(AddContext(ParseTemplate(object), context));
    std::erase_if(expander.templates_,
                  [&](const Template& each) { return each.name == parsed.name; });
    if (expander.Leads(parsed.makes, parsed)) {
      return Invalid(context + ": template forms expansion cycle");
    }
    expander.templates_.push_back(std::move(parsed));
  }
  std::ranges::sort(expander.templates_, {}, &Template::name);
  return expander;
}

Result<Value> Expander::MakeResultant(const Value& parent, const Template& of,
                                      document::Arena& arena) {
  const Value source = TRY(FindSource(parent, of.source));
  const std::string_view name_space = parent.GetString({"metadata", "namespace"});
  const std::string name = LowerCase(std::string(parent.GetString({"metadata", "name"})) +
                                     (of.makes.kind.empty() ? "" : "-") + of.makes.kind);
  Value metadata = source.Find("metadata");
  metadata = WithMember(metadata, "namespace",
                        name_space.empty() ? Value() : Value::String(name_space), arena);
  metadata = WithMember(metadata, "name", Value::String(arena.CopyString(name)), arena);
  metadata =
      WithMember(metadata, "ownerReferences", OwnerReferences(metadata, parent, arena), arena);
  Value object = WithMember(source, "metadata", metadata, arena);
  object = WithMember(object, "apiVersion",
                      Value::String(arena.CopyString(of.makes.group_version())), arena);
  return WithMember(object, "kind", Value::String(arena.CopyString(of.makes.kind)), arena);
}

Result<void> Expander::ExpandInto(const Value& object, int depth,
                                  std::vector<Resultant>* resultants, document::Arena& arena,
                                  const ResultantChange& change) const {
  if (depth >= kMaxDepth) {
    return Invalid("maximum recursion depth of 30 reached");
  }
  const GroupVersionKind type =
      document::MakeGroupVersionKind(object.GetString({"apiVersion"}), object.GetString({"kind"}));
  std::vector<Resultant> made;
  for (const Template& each : templates_) {
    if (std::ranges::find(each.applies_to, type) != each.applies_to.end()) {
      made.push_back({.object = TRY(MakeResultant(object, each, arena)),
                      .template_name = each.name,
                      .enforcement_action = each.enforcement_action});
    }
  }
  for (Resultant& each : made) {
    if (change) {
      const std::string name(each.object.GetString({"metadata", "name"}));
      each.object =
          TRY(AddContext(change(each.object), "failed to mutate resultant resource " + name));
    }
  }
  for (const Resultant& each : made) {
    TRY(ExpandInto(each.object, depth + 1, resultants, arena, change));
  }
  std::ranges::move(made, std::back_inserter(*resultants));
  return {};
}

Result<std::vector<Resultant>> Expander::Expand(const Value& object, document::Arena& arena,
                                                const ResultantChange& change) const {
  std::vector<Resultant> resultants;
  if (templates_.empty()) {
    return resultants;
  }
  const std::string name(object.GetString({"metadata", "name"}));
  TRY(AddContext(ExpandInto(object, 0, &resultants, arena, change),
                 "error expanding resource " + name));
  return resultants;
}

}  // namespace portcullis::policy
