// Conditions that all items of a collection pass, or none: containment, absence, and what the object alone decides.

#include <utility>

#include "rules/rego/item_test.h"
#include "rules/rego/join_finder.h"

namespace portcullis::rego {

using Kind = Origin::Kind;

void JoinFinder::LookAtNegation(const Expr& expr, Choices* choices, std::size_t depth) {
  std::vector<const Expr*> body;
  if (expr.negated) {
    Expr& plain = *written_->emplace_back(BodyOf(expr)).front();
    plain.negated = false;
    order_.emplace(&plain, order_.size());
    body.push_back(&plain);
  } else {
    for (const ExprPtr& each : expr.body) {
      body.push_back(each.get());
    }
  }
  if (body.size() == 1 && body.front()->kind == ExprKind::kTerm && body.front()->with.empty()) {
    const Origin of_term = origins_.Of(*body.front()->terms[0]);
    if (of_term.kind == Kind::kObject && of_term.path && of_term.path->entry == nullptr) {
      AddTest(expr, of_term, choices);
    }
  } else if (!errors_.MayFail(expr)) {
    const Origins outer = origins_;
    LookAtAbsence(expr.location, body, {}, depth, choices);
    origins_ = outer;
  }
}

void JoinFinder::LookAtEvery(const Expr& expr, Choices* choices) {
  if (errors_.MayFail(expr) || !expr.terms[1]->IsVar()) {
    return;
  }
  const Origins outer = origins_;
  const EachItem each{
      .collection = expr.terms[2].get(), .key = expr.terms[0].get(), .value = expr.terms[1].get()};
  NoteItem(each);
  AddContainedItems(expr.location, each, Pointers(expr.body), {}, choices);
  origins_ = outer;
}

std::vector<const Expr*> JoinFinder::Pointers(const Body& body) {
  std::vector<const Expr*> pointers;
  for (const ExprPtr& expr : body) {
    pointers.push_back(expr.get());
  }
  return pointers;
}

Body JoinFinder::BodyOf(const Expr& expr) {
  Body body;
  body.push_back(Clone(expr));
  return body;
}

void JoinFinder::NoteItem(const EachItem& each) {
  for (const Term* term : {each.key, each.value}) {
    if (term != nullptr && term->IsVar()) {
      origins_.Define(term->text, {.kind = Kind::kMixed, .path = {}, .given_by = {}});
    }
  }
}

void JoinFinder::LookAtAbsence(const Location& location, const std::vector<const Expr*>& body,
                               std::vector<const Expr*> guards, std::size_t depth,
                               Choices* choices) {
  std::optional<EachItem> each;
  const Expr* negation = nullptr;
  for (const Expr* expr : body) {
    order_.emplace(expr, order_.size());
    if (!expr->with.empty()) {
      return;
    }
    if (expr->negated || expr->kind == ExprKind::kNot) {
      if (std::exchange(negation, expr) != nullptr) {
        return;
      }
      continue;
    }
    if (negation != nullptr || expr->kind != ExprKind::kCall) {
      return;
    }
    if (!IsEquality(*expr)) {
      if (expr == body.back() && !each && depth < kMostInlined) {
        LookAtAbsentCall(location, *expr, guards, depth, choices);
      }
      return;
    }
    const bool binds_left = origins_.Binds(*expr->terms[1]);
    const Term& name = *expr->terms[binds_left ? 1 : 2];
    const Term& value = *expr->terms[binds_left ? 2 : 1];
    const Origin from = origins_.Of(value);
    if (!name.IsVar() || !origins_.Binds(name)) {
      return;
    }
    const Term* key = value.kind == TermKind::kRef ? value.items.back().get() : nullptr;
    if (key != nullptr && from.kind == Kind::kObject && key->IsVar() && origins_.Binds(*key)) {
      if (each) {
        return;
      }
      each = {.collection = Keep(*Prefix(value), *expr),
              .key = key,
              .value = &name,
              .or_undefined = true};
      NoteItem(*each);
      continue;
    }
    if (from.kind == Kind::kInvariant) {
      guards.push_back(expr);
    } else if (from.kind != Kind::kObject && from.kind != Kind::kConstant) {
      return;
    }
    DefineBy(*expr, name, from);
  }
  if (each && negation != nullptr) {
    std::vector<const Expr*> passed;
    if (negation->negated) {
      Expr& plain = *written_->emplace_back(BodyOf(*negation)).front();
      plain.negated = false;
      passed.push_back(&plain);
    } else {
      passed = Pointers(negation->body);
    }
    AddContainedItems(location, *each, passed, guards, choices);
  }
}

void JoinFinder::LookAtAbsentCall(const Location& location, const Expr& call,
                                  const std::vector<const Expr*>& guards, std::size_t depth,
                                  Choices* choices) {
  std::vector<Body> bodies;
  if (!InlineCall(policy_, call, &next_name_, &bodies)) {
    return;
  }
  for (Body& body : bodies) {
    const Origins outer = origins_;
    LookAtAbsence(location, Pointers(written_->emplace_back(std::move(body))), guards, depth + 1,
                  choices);
    origins_ = outer;
  }
}

void JoinFinder::AddContainedItems(const Location& location, const EachItem& each,
                                   const std::vector<const Expr*>& tests,
                                   const std::vector<const Expr*>& guards, Choices* choices) {
  const Origin of_collection = origins_.Of(*each.collection);
  if (of_collection.kind != Kind::kObject) {
    return;
  }
  for (const Expr* test : tests) {
    order_.emplace(test, order_.size());
    const bool is_plain = test->with.empty() && !test->negated &&
                          (test->kind == ExprKind::kTerm || test->kind == ExprKind::kCall);
    if (!is_plain) {
      continue;
    }
    if (IsEquality(*test)) {
      const bool binds_left = origins_.Binds(*test->terms[1]);
      const Term& name = *test->terms[binds_left ? 1 : 2];
      if (name.IsVar() && origins_.Binds(name)) {
        DefineBy(*test, name, origins_.Of(*test->terms[binds_left ? 2 : 1]));
        continue;
      }
    }
    const std::optional<ItemTest> found = FindItemTest(
        *test, each.key, each.value, [this](const Term& term) { return origins_.Of(term).kind; });
    if (!found) {
      continue;
    }
    const Term* in = found->prefix == 0 ? found->collection
                                        : Keep(*Prefix(*found->collection, found->prefix), *test);
    Probe probe{.definition = {},
                .given_by = origins_.Of(*in).given_by,
                .key = in,
                .keys = found->in_items ? Probe::Keys::kItemsOrNone : Probe::Keys::kMembersOrNone,
                .entry = nullptr,
                .location = &location,
                .guards = guards};
    if (MakeProgram(
            *each.collection, of_collection,
            found->of_key ? ProgramSource::Keys::kLeastKey : ProgramSource::Keys::kLeastItem,
            &probe, each.or_undefined)) {
      Add(std::move(probe), choices);
      return;
    }
  }
}

void JoinFinder::AddTest(const Expr& expr, const Origin& origin, Choices* choices) {
  Body& body = written_->emplace_back();
  body.push_back(Clone(expr));
  if (expr.kind == ExprKind::kNot) {
    body.push_back(Clone(*expr.body.front()));
    body.erase(body.begin());
    body.front()->negated = true;
  }
  const Expr* test = body.front().get();
  order_.emplace(test, order_.size());
  auto key = std::make_unique<Expr>();
  auto holds = std::make_unique<Term>();
  holds->kind = TermKind::kBoolean;
  holds->boolean = true;
  key->terms.push_back(std::move(holds));
  key->location = expr.location;
  Body& constants = written_->emplace_back();
  constants.push_back(std::move(key));
  Origin whole = origin;
  whole.given_by.push_back(test);
  Probe probe{.definition = {},
              .given_by = {},
              .key = constants.back()->terms[0].get(),
              .entry = nullptr,
              .location = &expr.location};
  if (MakeProgram(*probe.key, whole, ProgramSource::Keys::kValue, &probe)) {
    UseDeclared(&probe.definition);
    Add(std::move(probe), choices);
  }
}

void JoinFinder::NoteDifference(const Expr& expr, const std::string& name,
                                const std::vector<Origin>& arguments, const Term& output,
                                Choices* choices) {
  if (name == "minus" && arguments.size() == 2 && output.IsVar()) {
    differences_.insert_or_assign(output.text, &expr);
  } else if (name == "and" && arguments.size() == 2 && output.IsVar()) {
    intersections_.insert_or_assign(output.text, &expr);
  } else if (name == "count" && arguments.size() == 1 && expr.terms[1]->IsVar()) {
    NoteCountOfCollected(expr, output, choices);
    const auto difference = differences_.find(expr.terms[1]->text);
    if (difference == differences_.end()) {
      return;
    }
    if (IsZero(output)) {
      AddNoDifference(*difference->second, choices);
    } else if (output.IsVar()) {
      counts_.insert_or_assign(output.text, difference->second);
    }
  }
}

void JoinFinder::NoteCountOfCollected(const Expr& count, const Term& output, Choices* choices) {
  const auto collected = collected_.find(count.terms[1]->text);
  if (collected == collected_.end()) {
    return;
  }
  if (IsZero(output)) {
    AddNothingCollected(count.location, *collected->second, choices);
  } else if (output.IsVar()) {
    collected_counts_.insert_or_assign(output.text, collected->second);
  }
}

void JoinFinder::AddNothingCollected(const Location& location, const Term& comprehension,
                                     Choices* choices) {
  if (errors_.MayFail(comprehension)) {
    return;
  }
  const Origins outer = origins_;
  LookAtAbsence(location, Pointers(comprehension.body), {}, 0, choices);
  origins_ = outer;
}

bool JoinFinder::AddIntersection(const Expr& expr, const Term& left, const Term& right,
                                 Choices* choices) {
  for (const auto& [out, whole] : {std::pair(&left, &right), std::pair(&right, &left)}) {
    const auto found = out->IsVar() ? intersections_.find(out->text) : intersections_.end();
    if (found == intersections_.end() || !whole->IsVar()) {
      continue;
    }
    for (const std::size_t side : {1, 2}) {
      const Term& contained = *found->second->terms[side];
      const Term& in = *found->second->terms[3 - side];
      const Origin of_contained = origins_.Of(contained);
      const Origin of_in = origins_.Of(in);
      if (contained.IsVar() && contained.text == whole->text &&
          of_contained.kind == Kind::kObject && of_in.kind == Kind::kInvariant) {
        AddContainment(expr, contained, of_contained, in, of_in, ProgramSource::Keys::kLeastMember,
                       choices);
        return true;
      }
    }
  }
  return false;
}

void JoinFinder::AddNoDifference(const Expr& minus, Choices* choices) {
  const Origin contained = origins_.Of(*minus.terms[1]);
  const Origin in = origins_.Of(*minus.terms[2]);
  if (contained.kind == Kind::kObject && in.kind == Kind::kInvariant) {
    AddContainment(minus, *minus.terms[1], contained, *minus.terms[2], in,
                   ProgramSource::Keys::kLeastMember, choices);
  } else if (in.kind == Kind::kObject && contained.kind == Kind::kInvariant &&
             minus.terms[1]->kind == TermKind::kSet && minus.terms[1]->items.size() == 1) {
    // {key} - set: the set holds the key.
    const Term& key = *minus.terms[1]->items[0];
    AddHolds(minus, *minus.terms[2], in, key, origins_.Of(key), choices);
  }
}

void JoinFinder::AddContainment(const Expr& expr, const Term& contained, const Origin& origin,
                                const Term& in, const Origin& of_in, ProgramSource::Keys keys,
                                Choices* choices) {
  Probe probe{.definition = {},
              .given_by = of_in.given_by,
              .key = &in,
              .keys = Probe::Keys::kMembersOrNone,
              .entry = nullptr,
              .location = &expr.location};
  if (MakeProgram(contained, origin, keys, &probe)) {
    Add(std::move(probe), choices);
  }
}

}  // namespace portcullis::rego
