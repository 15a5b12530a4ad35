#include "tools/gator_expander.h"

#include <string_view>
#include <utility>

#include "document/object.h"
#include "mutation/generation.h"
#include "mutation/mutation_id.h"
#include "rules/policy/whole_numbers.h"

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
      TRY(AddContext(store.Put(policy::WithWholeNumbers(object, arena)),
                     "error parsing resources"));
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
  return mutation::MutateReviewed(*mutators_,
                                  {.object = object,
                                   .name_space = name_space,
                                   .username = {},
                                   .source = source,
                                   .operation = mutation::Operation::kUnknown},
                                  {.new_id = mutation::NewMutationId}, arena_);
}

Result<Expanded> GatorExpander::Expand(const Value& object) const {
  const Value name_space = NamespaceOf(object);
  Expanded expanded;
  expanded.base = TRY(AddContext(Mutate(object, name_space, "Original"),
                                 "error mutating base resource " + NameOf(object)));
  expanded.resultants =
      TRY(AddContext(expander_.Expand(expanded.base, arena_,
                                      [&](const Value& resultant) {
                                        return Mutate(resultant, name_space, "Generated");
                                      }),
                     "error expanding resource " + NameOf(object)));
  return expanded;
}

}  // namespace portcullis::tools
