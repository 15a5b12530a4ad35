#include "rules/rego/access_path.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "rules/rego/check.h"
#include "rules/rego/inline_call.h"
#include "rules/rego/join_finder.h"

namespace portcullis::rego {

using Kind = Origin::Kind;

namespace {

// Builtins that only look at their operands: cheap, and without effects that could be seen.
constexpr std::array<std::string_view, 12> kKeyTests = {
    "regex.match", "re_match", "startswith", "endswith", "contains", "equal",
    "neq",         "eq",       "lt",         "lte",      "gt",       "gte"};

}  // namespace

AccessPath JoinFinder::Find() {
  const Expr& own = *(*site_.body)[site_.expression];
  if (!own.with.empty() || own.negated) {
    result_.reason = own.negated ? "the reference is negated" : "the expression has a `with`";
    return std::move(result_);
  }
  NoteKeys();
  order_.emplace(&own, 0);
  direct_ = true;
  NoteOwnExpression(own);
  bool goes_on = !errors_.MayFail(own);
  for (std::size_t i = site_.expression + 1; goes_on && i < site_.body->size(); ++i) {
    const Expr& expr = *(*site_.body)[i];
    NoteCondition(expr);
    Look(expr, &result_.choices, 0);
    if (errors_.MayFail(expr)) {
      goes_on = false;
      result_.reason = "line " + std::to_string(expr.location.row) +
                       " could end in an error for objects that an index would leave out";
    }
  }
  Choose();
  if (result_.choices.empty() && result_.reason.empty()) {
    result_.nothing_compared = refused_.empty();
    result_.reason = !refused_.empty()
                         ? refused_
                         : "no equality between a path into the object and something bound before";
  }
  return std::move(result_);
}

void JoinFinder::NoteKeys() {
  for (std::size_t i = 3; i < site_.object_end; ++i) {
    const Term& item = *site_.reference->items[i];
    if (item.IsVar() && !site_.bound.contains(item.text)) {
      keys_.emplace(item.text, i - 3);
      origins_.Define(item.text, {.kind = Kind::kMixed, .path = {}, .given_by = {}});
    }
  }
}

void JoinFinder::NoteOwnExpression(const Expr& own) {
  if (!IsEquality(own)) {
    return;
  }
  for (const auto& [side, other] : {std::pair(own.terms[1].get(), own.terms[2].get()),
                                    std::pair(own.terms[2].get(), own.terms[1].get())}) {
    if (side != site_.reference) {
      continue;
    }
    Origin origin{.kind = Kind::kObject,
                  .path = origins_.Extend({}, *side, site_.object_end),
                  .given_by = {&own}};
    if (other->IsVar() && !origins_.IsKnown(other->text)) {
      origins_.Define(other->text, std::move(origin));
    } else if (!origins_.Binds(*other)) {
      AddEquality(own, *side, origin, *other, origins_.Of(*other), &result_.choices);
    }
  }
}

void JoinFinder::NoteCondition(const Expr& expr) {
  if (!expr.with.empty() || expr.kind != ExprKind::kCall) {
    return;
  }
  const std::string name = ToString(*expr.terms[0]);
  if (std::ranges::find(kKeyTests, name) == kKeyTests.end() || expr.terms.size() != 3) {
    return;
  }
  std::optional<std::size_t> level;
  for (std::size_t i = 1; i < expr.terms.size(); ++i) {
    const Term& term = *expr.terms[i];
    const auto key = term.IsVar() ? keys_.find(term.text) : keys_.end();
    if (key != keys_.end()) {
      level = std::max(level.value_or(0), key->second);
    } else if (!term.IsScalar() && !(term.IsVar() && site_.bound.contains(term.text))) {
      return;
    }
  }
  if (level) {
    result_.conditions.push_back({.level = *level, .expr = &expr});
  }
}

void JoinFinder::Look(const Expr& expr, Choices* choices, std::size_t depth) {
  order_.emplace(&expr, order_.size());
  if (!expr.with.empty()) {
    return;
  }
  if (expr.negated || expr.kind == ExprKind::kNot) {
    LookAtNegation(expr, choices, depth);
  } else if (expr.kind == ExprKind::kEvery) {
    LookAtEvery(expr, choices);
  } else if (expr.kind == ExprKind::kTerm) {
    LookAtTerm(expr, *expr.terms[0], choices);
  } else if (expr.kind == ExprKind::kCall && IsEquality(expr)) {
    LookAtEquality(expr, *expr.terms[1], *expr.terms[2], choices);
  } else if (expr.kind == ExprKind::kCall) {
    LookAtCall(expr, choices, depth);
  }
}

void JoinFinder::Bind(const Expr& expr, const Origin& from) {
  Origin origin = from;
  origin.path.reset();
  origin.given_by.push_back(&expr);
  for (const std::string& variable : OutputVars(expr, arity_, origins_.Safe())) {
    origins_.Define(variable, origin);
  }
}

void JoinFinder::LookAtTerm(const Expr& expr, const Term& term, Choices* choices) {
  LookAtReference(expr, term, choices);
  const Origin of_term = origins_.Of(term);
  if (term.kind == TermKind::kRef && of_term.kind == Kind::kObject && of_term.path &&
      of_term.path->entry == nullptr) {
    AddTest(expr, of_term, choices);
  }
  Bind(expr, of_term);
}

void JoinFinder::LookAtReference(const Expr& expr, const Term& term, Choices* choices) {
  if (term.kind != TermKind::kRef || term.items.size() < 2) {
    return;
  }
  const Term& last = *term.items.back();
  const Origin asked = origins_.Of(last);
  if (asked.kind != Kind::kObject) {
    return;
  }
  const std::unique_ptr<Term> collection = Prefix(term);
  const Origin from = origins_.Of(*collection);
  if (from.kind == Kind::kInvariant) {
    AddMembership(expr, last, asked, Keep(*collection, expr), from, Probe::Keys::kNames, choices);
  }
}

void JoinFinder::LookAtEquality(const Expr& expr, const Term& left, const Term& right,
                                Choices* choices) {
  LookAtReference(expr, left, choices);
  LookAtReference(expr, right, choices);
  const Origin of_left = origins_.Of(left);
  const Origin of_right = origins_.Of(right);
  const bool binds_left = origins_.Binds(left);
  const bool binds_right = origins_.Binds(right);
  if (!binds_left && !binds_right) {
    AddEquality(expr, left, of_left, right, of_right, choices);
    Bind(expr, JoinOf(of_left, of_right));
    return;
  }
  const Term& pattern = binds_left ? left : right;
  const Origin& from = binds_left ? of_right : of_left;
  const Origin& own = binds_left ? of_left : of_right;
  Bind(expr, JoinOf(from, own));
  if (pattern.IsVar()) {
    DefineBy(expr, pattern, from);
    const Term& value = binds_left ? right : left;
    if (value.kind == TermKind::kArrayComprehension || value.kind == TermKind::kSetComprehension) {
      collected_.insert_or_assign(pattern.text, &value);
    }
  }
}

void JoinFinder::DefineBy(const Expr& expr, const Term& variable, const Origin& from) {
  Origin origin = from;
  origin.given_by.push_back(&expr);
  origins_.Define(variable.text, std::move(origin));
}

void JoinFinder::LookAtCall(const Expr& expr, Choices* choices, std::size_t depth) {
  const Term& op = *expr.terms[0];
  const std::string name = ToString(op);
  const int arity = arity_(op);
  const auto count = arity < 0 ? expr.terms.size() - 1 : static_cast<std::size_t>(arity);
  const bool has_output = expr.terms.size() == count + 2;
  std::vector<Origin> arguments;
  Origin all;
  for (std::size_t i = 1; i <= count && i < expr.terms.size(); ++i) {
    arguments.push_back(origins_.Of(*expr.terms[i]));
    all = JoinOf(all, arguments.back());
  }
  if (has_output) {
    const Term& output = *expr.terms.back();
    NoteDifference(expr, name, arguments, output, choices);
    if (name == "object.get" && output.IsVar()) {
      gets_.insert_or_assign(output.text, &expr);
    }
    if (origins_.Binds(output)) {
      Bind(expr, all);
    } else {
      AddCallEquality(expr, all, output, choices);
    }
    return;
  }
  if (name == "internal.member_2" && arguments.size() == 2) {
    if (arguments[0].kind == Kind::kObject && arguments[1].kind == Kind::kInvariant) {
      AddMembership(expr, *expr.terms[1], arguments[0], expr.terms[2].get(), arguments[1],
                    Probe::Keys::kItems, choices);
    } else if (arguments[0].kind == Kind::kInvariant && arguments[1].kind == Kind::kObject) {
      AddHolds(expr, *expr.terms[2], arguments[1], *expr.terms[1], arguments[0], choices);
    }
  } else if (name == "object.subset" && arguments.size() == 2 &&
             arguments[0].kind == Kind::kInvariant && arguments[1].kind == Kind::kObject) {
    AddContainment(expr, *expr.terms[2], arguments[1], *expr.terms[1], arguments[0],
                   ProgramSource::Keys::kLeastName, choices);
  } else if (!AddDeclaredTest(expr, all, choices) && depth < kMostInlined &&
             !errors_.MayFail(expr)) {
    LookInside(expr, choices, depth);
  }
}

void JoinFinder::LookInside(const Expr& call, Choices* choices, std::size_t depth) {
  std::vector<Body> bodies;
  if (!InlineCall(policy_, call, &next_name_, &bodies)) {
    return;
  }
  const bool outer_direct = std::exchange(direct_, false);
  std::vector<Choices> found;
  for (Body& body : bodies) {
    const Body& kept = written_->emplace_back(std::move(body));
    const Origins outer = origins_;
    Choices of_body;
    for (const ExprPtr& expr : kept) {
      Look(*expr, &of_body, depth + 1);
    }
    origins_ = outer;
    found.push_back(std::move(of_body));
  }
  direct_ = outer_direct;
  if (found.size() == 1) {
    std::ranges::move(found.front(), std::back_inserter(*choices));
    return;
  }
  // One definition or another holds: what any of them finds.
  std::vector<Probe> together;
  for (Choices& of_body : found) {
    if (of_body.empty()) {
      return;
    }
    std::ranges::move(of_body.front(), std::back_inserter(together));
  }
  choices->push_back(std::move(together));
}

Origin JoinFinder::JoinOf(const Origin& a, const Origin& b) {
  Origin joined = a;
  joined.path.reset();
  if (a.kind == Kind::kConstant) {
    joined.kind = b.kind;
  } else if (b.kind != Kind::kConstant && b.kind != a.kind) {
    joined.kind = Kind::kMixed;
  }
  for (const Expr* expr : b.given_by) {
    if (std::ranges::find(joined.given_by, expr) == joined.given_by.end()) {
      joined.given_by.push_back(expr);
    }
  }
  return joined;
}

int JoinFinder::ArityOfOperator(const Term& op) const {
  if (const RuleSet* rules = FunctionNamed(policy_, op)) {
    return static_cast<int>(rules->rules.front()->arguments.size());
  }
  const builtins::Builtin* builtin = policy_.catalog->Find(ToString(op));
  return builtin == nullptr ? -1 : ArityOf(*builtin);
}

AccessPath FindAccessPath(const InventorySite& site, const CompiledPolicy& policy,
                          ErrorAnalysis& errors, std::deque<Body>* written) {
  return JoinFinder(site, policy, errors, written).Find();
}

}  // namespace portcullis::rego
