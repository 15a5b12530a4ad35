#include "rules/policy/expansion.h"

#include <algorithm>
#include <utility>

#include "document/json.h"
#include "rules/policy/kubernetes_text.h"
#include "rules/policy/review.h"

namespace portcullis::policy {
namespace {

using document::GroupVersionKind;
using document::Value;

constexpr int kMaxDepth = 30;
constexpr std::string_view kCircle = "template forms expansion cycle";

std::unexpected<Error> Invalid(std::string text) {
  return Fail(ErrorCode::kInvalidArgument, std::move(text));
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
  // What Kubernetes' accessor says of the value that it met on the way to `place`.
  const auto no_map = [](const Value& value, std::string_view place) {
    return Invalid("could not extract source field from unstructured: ." + std::string(place) +
                   " accessor error: " + GoText(value) + " is of the type " +
                   std::string(GoTypeName(value)) + ", expected map[string]interface{}");
  };
  Value at = object;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    if (at.is_defined() && !at.is_null() && !at.is_object()) {
      return no_map(at, std::string_view(path).substr(0, end));
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
  return no_map(at, path);
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

Result<Value> MakeResultant(const Value& parent, const ExpansionTemplate& of,
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

// Whether something of the type `from` is, in the end, made into what `to` applies to.
template <class Templates>
bool Leads(const GroupVersionKind& from, const ExpansionTemplate& to, const Templates& templates) {
  std::vector<GroupVersionKind> reached = {from};
  for (std::size_t i = 0; i < reached.size(); ++i) {
    const GroupVersionKind type = reached[i];
    if (to.AppliesTo(type)) {
      return true;
    }
    for (const ExpansionTemplate& each : templates) {
      if (each.AppliesTo(type) && std::ranges::find(reached, each.makes) == reached.end()) {
        reached.push_back(each.makes);
      }
    }
  }
  return false;
}

}  // namespace

std::string GoTypeText(const GroupVersionKind& type) {
  return type.group + "/" + type.version + ", Kind=" + type.kind;
}

std::string ImpliedMessage(const Resultant& resultant, std::string_view message) {
  return "[Implied by " + resultant.template_name + "] " + std::string(message);
}

Result<ExpansionTemplate> ExpansionTemplate::Parse(const Value& object) {
  ExpansionTemplate result;
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
    for (const std::string& group : StringsOf(entry.Find("groups"))) {
      for (const std::string& version : StringsOf(entry.Find("versions"))) {
        for (const std::string& kind : StringsOf(entry.Find("kinds"))) {
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
  if (result.AppliesTo(result.makes)) {
    return Invalid(subject + " generates GVK " + GoTypeText(result.makes) +
                   ", but also applies to that same GVK");
  }
  // The status is no part of what it does.
  result.text = result.name + ' ' + document::ToJson(spec) + '\n';
  return result;
}

bool ExpansionTemplate::AppliesTo(const GroupVersionKind& type) const {
  return std::ranges::find(applies_to, type) != applies_to.end();
}

Expander::Expander(std::vector<ExpansionTemplate> templates) : templates_(std::move(templates)) {
  std::ranges::sort(templates_, {}, &ExpansionTemplate::name);
  for (const ExpansionTemplate& each : templates_) {
    source_ += each.text;
  }
}

Result<Expander> Expander::Make(std::span<const Value> templates) {
  std::vector<ExpansionTemplate> taken;
  for (const Value& object : templates) {
    const std::string context =
        "error upserting template " + std::string(object.GetString({"metadata", "name"}));
    ExpansionTemplate parsed = TRY(AddContext(ExpansionTemplate::Parse(object), context));
    std::erase_if(taken, [&](const ExpansionTemplate& each) { return each.name == parsed.name; });
    if (Leads(parsed.makes, parsed, taken)) {
      return Invalid(context + ": " + std::string(kCircle));
    }
    taken.push_back(std::move(parsed));
  }
  return Expander(std::move(taken));
}

bool Expander::AppliesTo(const GroupVersionKind& type) const {
  return std::ranges::any_of(templates_,
                             [&](const ExpansionTemplate& each) { return each.AppliesTo(type); });
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
  for (const ExpansionTemplate& each : templates_) {
    if (each.AppliesTo(type)) {
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
  TRY(ExpandInto(object, 0, &resultants, arena, change));
  return resultants;
}

Result<void> ExpansionStore::Put(const Value& object) {
  Result<ExpansionTemplate> parsed = ExpansionTemplate::Parse(object);
  const Value generation = object.Get({"metadata", "generation"});
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[std::string(object.GetString({"metadata", "name"}))];
  entry.uid = std::string(object.GetString({"metadata", "uid"}));
  entry.generation =
      generation.is_number() ? document::ToInt64(generation).value_or(0) : std::int64_t{0};
  entry.refusal = parsed ? "" : parsed.error().message;
  if (!parsed) {
    return std::unexpected(std::move(parsed).error());
  }
  if (!entry.good || entry.parsed.text != parsed->text) {
    entry.parsed = *std::move(parsed);
    entry.good = true;
    Update();
  }
  return {};
}

void ExpansionStore::Remove(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (entries_.erase(name) > 0) {
    Update();
  }
}

void ExpansionStore::Update() {
  std::vector<ExpansionTemplate> good;
  for (const auto& [name, entry] : entries_) {
    if (entry.good) {
      good.push_back(entry.parsed);
    }
  }
  std::vector<ExpansionTemplate> in_force;
  for (auto& [name, entry] : entries_) {
    entry.in_a_circle = entry.good && Leads(entry.parsed.makes, entry.parsed, good);
    if (entry.good && !entry.in_a_circle) {
      in_force.push_back(entry.parsed);
    }
  }
  current_ = in_force.empty() ? nullptr : std::make_shared<const Expander>(std::move(in_force));
}

std::shared_ptr<const Expander> ExpansionStore::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

std::vector<ExpansionStatus> ExpansionStore::Statuses() const {
  std::vector<ExpansionStatus> statuses;
  const std::lock_guard lock(mutex_);
  for (const auto& [name, entry] : entries_) {
    statuses.push_back({.name = name,
                        .uid = entry.uid,
                        .generation = entry.generation,
                        .error = !entry.refusal.empty() ? entry.refusal
                                 : entry.in_a_circle    ? std::string(kCircle)
                                                        : std::string()});
  }
  return statuses;
}

std::vector<std::string> ImpliedActions(std::string_view template_action,
                                        std::string_view constraint_action,
                                        std::vector<std::string> own) {
  if (template_action.empty() || template_action == constraint_action) {
    return own;
  }
  // Scoped, there are no actions but those that the constraint has by its own scope.
  return template_action == "scoped" ? std::vector<std::string>()
                                     : std::vector{std::string(template_action)};
}

void AddImplied(const Resultant& resultant, Verdict implied, document::Arena& arena, Verdict* to) {
  const std::string_view action = arena.CopyString(resultant.enforcement_action);
  for (Violation& violation : implied.violations) {
    violation.message = arena.CopyString(ImpliedMessage(resultant, violation.message));
    violation.actions =
        ImpliedActions(action, violation.enforcement_action, std::move(violation.actions));
    if (!action.empty()) {
      violation.enforcement_action = action;
    }
    to->violations.push_back(std::move(violation));
  }
  SortViolations(to);
  to->statistics += implied.statistics;
}

}  // namespace portcullis::policy
