// Conditions made into look-ups: the definition of the index, and what gives its keys.

#include <algorithm>
#include <memory>
#include <utility>

#include "rules/rego/check.h"
#include "rules/rego/join_finder.h"

namespace portcullis::rego {

using Kind = Origin::Kind;

namespace {

// Each is kept up to date at every write: beyond these they cost more than they save.
constexpr std::size_t kMostChoices = 4;

ExprPtr MakeIsArray(const Term& term) {
  auto call = std::make_unique<Expr>();
  call->kind = ExprKind::kCall;
  call->location = term.location;
  auto op = std::make_unique<Term>();
  op->kind = TermKind::kRef;
  auto variable = std::make_unique<Term>();
  variable->kind = TermKind::kVar;
  variable->text = "is_array";
  op->items.push_back(std::move(variable));
  call->terms.push_back(std::move(op));
  call->terms.push_back(Clone(term));
  return call;
}

}  // namespace

void JoinFinder::AddEquality(const Expr& expr, const Term& left, const Origin& of_left,
                             const Term& right, const Origin& of_right, Choices* choices) {
  if (AddIntersection(expr, left, right, choices)) {
    return;
  }
  for (const auto& [term, origin, other, of_other] :
       {std::tuple(&left, &of_left, &right, &of_right),
        std::tuple(&right, &of_right, &left, &of_left)}) {
    const auto counted = term->IsVar() ? counts_.find(term->text) : counts_.end();
    if (counted != counts_.end() && IsZero(*other)) {
      AddNoDifference(*counted->second, choices);
      return;
    }
    const auto collected =
        term->IsVar() ? collected_counts_.find(term->text) : collected_counts_.end();
    if (collected != collected_counts_.end() && IsZero(*other)) {
      AddNothingCollected(expr.location, *collected->second, choices);
      return;
    }
    const auto got = term->IsVar() ? gets_.find(term->text) : gets_.end();
    if (got != gets_.end() && AddGet(expr, *got->second, *other, *of_other, choices)) {
      return;
    }
    if (origin->kind != Kind::kObject ||
        (of_other->kind != Kind::kInvariant && of_other->kind != Kind::kConstant)) {
      continue;
    }
    Probe probe{.definition = {},
                .given_by = of_other->given_by,
                .key = other,
                .entry = nullptr,
                .location = &expr.location};
    if (origin->path && !origin->path->steps.empty()) {
      probe.definition = DefinitionOf(*origin->path);
      if (origin->path->entry != nullptr) {
        probe.keys = Probe::Keys::kPair;
        probe.entry = origin->path->entry;
        AddGivenBy(*probe.entry, &probe);
      }
      probe.direct = direct_ && probe.given_by.empty();
    } else if (!MakeProgram(*term, *origin, ProgramSource::Keys::kValue, &probe)) {
      continue;
    }
    Add(std::move(probe), choices);
    return;
  }
}

bool JoinFinder::AddGet(const Expr& expr, const Expr& get, const Term& key, const Origin& of_key,
                        Choices* choices) {
  const Origin map = origins_.Of(*get.terms[1]);
  const Term& entry = *get.terms[2];
  const Term& fallback = *get.terms[3];
  const Origin of_entry = origins_.Of(entry);
  if (map.kind != Kind::kObject || !map.path || map.path->entry != nullptr ||
      map.path->steps.size() >= index::kMaxPathSteps || of_entry.kind != Kind::kInvariant ||
      !fallback.IsScalar() || (of_key.kind != Kind::kInvariant && of_key.kind != Kind::kConstant)) {
    return false;
  }
  ObjectPath path = *map.path;
  path.steps.push_back({.kind = index::PathStep::Kind::kEntry, .field = {}});
  Probe probe{.definition = DefinitionOf(path),
              .given_by = of_key.given_by,
              .key = &key,
              .keys = Probe::Keys::kPair,
              .entry = &entry,
              .location = &expr.location};
  AddGivenBy(entry, &probe);
  // Where some key is the default, objects without the entry count too; an array is no entry but a path of its own.
  const std::vector<const Expr*> given_by = InOrder(probe.given_by);
  Body& guards = written_->emplace_back();
  ExprPtr tests[] = {MakeEquality(Clone(key), Clone(fallback), expr.location), MakeIsArray(entry)};
  for (ExprPtr& test : tests) {
    auto never = std::make_unique<Expr>();
    never->kind = ExprKind::kNot;
    never->generated = true;
    never->location = expr.location;
    for (const Expr* given : given_by) {
      never->body.push_back(Clone(*given));
    }
    never->body.push_back(std::move(test));
    guards.push_back(std::move(never));
    probe.guards.push_back(guards.back().get());
  }
  Add(std::move(probe), choices);
  return true;
}

void JoinFinder::AddCallEquality(const Expr& call, const Origin& of_arguments, const Term& output,
                                 Choices* choices) {
  const Origin of_output = origins_.Of(output);
  if (of_arguments.kind != Kind::kObject ||
      (of_output.kind != Kind::kInvariant && of_output.kind != Kind::kConstant)) {
    return;
  }
  // The same call with a variable for its result.
  Body& body = written_->emplace_back();
  body.push_back(Clone(call));
  Term& result = *body.back()->terms.back();
  result = Term();
  result.kind = TermKind::kVar;
  result.text = "result";
  Origin origin = of_arguments;
  origin.given_by.push_back(body.back().get());
  Probe probe{.definition = {},
              .given_by = of_output.given_by,
              .key = &output,
              .entry = nullptr,
              .location = &call.location};
  if (MakeProgram(result, origin, ProgramSource::Keys::kValue, &probe)) {
    Add(std::move(probe), choices);
  }
}

void JoinFinder::AddMembership(const Expr& expr, const Term& taken, const Origin& origin,
                               const Term* collection, const Origin& of_collection,
                               Probe::Keys keys, Choices* choices) {
  Probe probe{.definition = {},
              .given_by = of_collection.given_by,
              .key = collection,
              .keys = keys,
              .entry = nullptr,
              .location = &expr.location};
  if (origin.path && !origin.path->steps.empty() && origin.path->entry == nullptr) {
    probe.definition = DefinitionOf(*origin.path);
  } else if (!MakeProgram(taken, origin, ProgramSource::Keys::kValue, &probe)) {
    return;
  }
  Add(std::move(probe), choices);
}

void JoinFinder::AddHolds(const Expr& expr, const Term& collection, const Origin& origin,
                          const Term& key, const Origin& of_key, Choices* choices) {
  Probe probe{.definition = {},
              .given_by = of_key.given_by,
              .key = &key,
              .entry = nullptr,
              .location = &expr.location};
  if (origin.path && origin.path->entry == nullptr &&
      origin.path->steps.size() < index::kMaxPathSteps) {
    ObjectPath path = *origin.path;
    path.steps.push_back({.kind = index::PathStep::Kind::kAnyItem, .field = {}});
    probe.definition = DefinitionOf(path);
  } else if (!MakeProgram(collection, origin, ProgramSource::Keys::kItems, &probe)) {
    return;
  }
  Add(std::move(probe), choices);
}

index::Definition JoinFinder::DefinitionOf(const ObjectPath& path) const {
  const Term& kind = *site_.reference->items[site_.object_end - 2];
  return {.scope = site_.scope,
          .kind = kind.kind == TermKind::kString ? kind.text : "",
          .path = path.steps};
}

bool JoinFinder::MakeProgram(const Term& key, const Origin& origin, ProgramSource::Keys keys,
                             Probe* probe, bool or_undefined) {
  std::string reason;
  auto text = ProgramText(policy_,
                          {.expressions = InOrder(origin.given_by),
                           .key = &key,
                           .object = site_.reference,
                           .object_end = site_.object_end,
                           .keys = keys,
                           .or_undefined = or_undefined},
                          &reason);
  if (!text) {
    refused_ = "line " + std::to_string(probe->location->row) + ": " + reason;
    return false;
  }
  probe->definition = DefinitionOf({});
  probe->definition.program = std::move(*text);
  return true;
}

std::vector<const Expr*> JoinFinder::InOrder(std::vector<const Expr*> expressions) const {
  const auto place = [this](const Expr* expr) {
    const auto found = order_.find(expr);
    return found == order_.end() ? order_.size() : found->second;
  };
  std::ranges::stable_sort(expressions, {}, place);
  return expressions;
}

void JoinFinder::AddGivenBy(const Term& term, Probe* probe) const {
  for (const Expr* expr : origins_.Of(term).given_by) {
    if (std::ranges::find(probe->given_by, expr) == probe->given_by.end()) {
      probe->given_by.push_back(expr);
    }
  }
}

std::unique_ptr<Term> JoinFinder::Prefix(const Term& reference) {
  return Prefix(reference, reference.items.size() - 1);
}

std::unique_ptr<Term> JoinFinder::Prefix(const Term& reference, std::size_t count) {
  auto prefix = Clone(reference);
  prefix->items.resize(count);
  if (prefix->items.size() == 1) {
    return std::move(prefix->items[0]);
  }
  return prefix;
}

const Term* JoinFinder::Keep(const Term& term, const Expr& of) {
  Body& body = written_->emplace_back();
  auto expr = std::make_unique<Expr>();
  expr->location = of.location;
  expr->terms.push_back(Clone(term));
  body.push_back(std::move(expr));
  return body.back()->terms[0].get();
}

void JoinFinder::Add(Probe probe, Choices* choices) {
  const bool may_fail =
      std::ranges::any_of(probe.given_by,
                          [this](const Expr* expr) { return errors_.MayFail(*expr); }) ||
      std::ranges::any_of(probe.guards,
                          [this](const Expr* expr) { return errors_.MayFail(*expr); }) ||
      errors_.MayFail(*probe.key);
  if (!may_fail) {
    probe.given_by = InOrder(std::move(probe.given_by));
    std::vector<Probe>& choice = choices->emplace_back();
    choice.push_back(std::move(probe));
  }
}

void JoinFinder::Choose() {
  Choices& choices = result_.choices;
  const auto is_constant = [this](const std::vector<Probe>& choice) {
    return choice.size() == 1 && !IsDeclared(choice) && choice[0].keys == Probe::Keys::kValue &&
           origins_.Of(*choice[0].key).kind == Kind::kConstant;
  };
  std::ranges::stable_partition(choices, [&](const auto& choice) { return !is_constant(choice); });
  if (!choices.empty() && !is_constant(choices.front())) {
    std::erase_if(choices, is_constant);
  }
  std::ranges::stable_partition(choices, [this](const auto& choice) { return IsDeclared(choice); });
  if (choices.size() > kMostChoices) {
    choices.resize(kMostChoices);
  }
}

}  // namespace portcullis::rego
