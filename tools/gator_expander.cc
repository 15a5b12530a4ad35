#include "tools/gator_expander.h"

#include <cmath>
#include <string_view>
#include <utility>

#include "document/object.h"
#include "mutation/mutation_id.h"

namespace portcullis::tools {
namespace {

using document::Value;

document::GroupVersionKind TypeOf(const Value& object) {
  return document::MakeGroupVersionKind(object.GetString({"apiVersion"}),
                                        object.GetString({"kind"}));
}

std::string NameOf(const Value& object) {
  return std::string(object.GetString({"metadata", "name"}));
}

// Large whole numbers as int64 again, which mutators tell from float64; NumberMode::kFloat64 left them as floats.
Value WithInts(const Value& value, document::Arena& arena) {
  constexpr double kLimit = 9.2e18;
  if (value.is_float()) {
    const double number = value.float_number();
    const bool whole = std::abs(number) < kLimit && std::trunc(number) == number;
    return whole ? Value::Int(static_cast<std::int64_t>(number)) : value;
  }
  if (value.is_array()) {
    document::ArrayBuilder items(arena);
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      items.Add(WithInts(value.ItemAt(i), arena));
    }
    return items.Finish();
  }
  if (value.is_object()) {
    document::ObjectBuilder members(arena);
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      members.Add(value.KeyAt(i), WithInts(value.ValueAt(i), arena));
    }
    return members.Finish();
  }
  return value;
}

}  // namespace

GatorExpander::GatorExpander(policy::Expander expander,
                             std::shared_ptr<const mutation::MutationSet> mutators,
                             document::Arena& arena)
    : expander_(std::move(expander)), mutators_(std::move(mutators)), arena_(arena) {}

Result<GatorExpander> GatorExpander::Make(const std::vector<Value>& objects,
                                          document::Arena& arena) {
  std::vector<Value> templates;
  std::map<std::string, Value> namespaces;
  mutation::MutationStore store(mutation::FieldDefaults::kNone);
  for (const Value& object : objects) {
    const document::GroupVersionKind type = TypeOf(object);
    if (mutation::IsMutator(type.group, type.kind)) {
      TRY(AddContext(store.Put(WithInts(object, arena)), "error parsing resources"));
    } else if (type.group == "expansion.gatekeeper.sh" && type.kind == "ExpansionTemplate") {
      templates.push_back(object);
    } else if (type.group.empty() && type.kind == "Namespace") {
      namespaces[NameOf(object)] = object;
    }
  }
  policy::Expander expander = TRY(policy::Expander::Make(templates));
  for (const mutation::MutatorStatus& status : store.Statuses()) {
    for (const mutation::MutatorError& error : status.errors) {
      return Fail(ErrorCode::kInvalidArgument, "error upserting mutator: " + error.message);
    }
  }
  GatorExpander made(std::move(expander), store.current(), arena);
  made.namespaces_ = std::move(namespaces);
  return made;
}

Value GatorExpander::NamespaceOf(const Value& object) const {
  const std::string name(object.GetString({"metadata", "namespace"}));
  if (name.empty()) {
    return Value::Object({});
  }
  if (const auto given = namespaces_.find(name); given != namespaces_.end()) {
    return given->second;
  }
  if (name != "default") {
    return {};
  }
  document::ObjectBuilder metadata(arena_);
  metadata.Add("name", Value::String("default"));
  document::ObjectBuilder synthesized(arena_);
  synthesized.Add("metadata", metadata.Finish());
  return synthesized.Finish();
}

Result<Value> GatorExpander::Mutate(const Value& object, const Value& name_space,
                                    std::string_view source) const {
  if (mutators_->all().empty()) {
    return object;
  }
  const mutation::MutateOptions how{.new_id = mutation::NewMutationId};
  const mutation::MutationOutcome outcome =
      TRY(mutators_->Mutate({.object = WithInts(object, arena_),
                             .name_space = name_space,
                             .username = {},
                             .source = source,
                             .operation = mutation::Operation::kUnknown},
                            how, arena_));
  // The mutators' own values go with them.
  return outcome.mutated
             ? document::WithFloatNumbers(document::DeepCopy(outcome.object, arena_), arena_)
             : object;
}

Result<Expanded> GatorExpander::Expand(const Value& object) const {
  const Value name_space = NamespaceOf(object);
  Expanded expanded;
  expanded.base = TRY(AddContext(Mutate(object, name_space, "Original"),
                                 "error mutating base resource " + NameOf(object)));
  expanded.resultants = TRY(expander_.Expand(expanded.base, arena_, [&](const Value& resultant) {
    return Mutate(resultant, name_space, "Generated");
  }));
  return expanded;
}

}  // namespace portcullis::tools
