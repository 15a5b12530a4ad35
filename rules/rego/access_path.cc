#include "rules/rego/access_path.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "rules/rego/check.h"
#include "rules/rego/inline_call.h"
#include "rules/rego/item_test.h"
#include "rules/rego/origins.h"
#include "rules/rego/program_text.h"

namespace portcullis::rego {
namespace {

using Kind = Origin::Kind;

// Each is kept up to date at every write: beyond these they cost more than they save.
constexpr std::size_t kMostChoices = 4;
constexpr std::size_t kMostInlined = 6;  // Calls within calls.

// Builtins that only look at their operands: cheap, and without effects that could be seen.
constexpr std::array<std::string_view, 12> kKeyTests = {
    "regex.match", "re_match", "startswith", "endswith", "contains", "equal",
    "neq",         "eq",       "lt",         "lte",      "gt",       "gte"};

bool IsZero(const Term& term) {
  return term.kind == TermKind::kNumber && term.text == "0";
}

// Follows what is taken from the object through the rest of the body.
class JoinFinder {
 public:
  JoinFinder(const InventorySite& site, const CompiledPolicy& policy, ErrorAnalysis& errors,
             std::deque<Body>* written)
      : site_(site),
        policy_(policy),
        errors_(errors),
        written_(written),
        origins_(site.bound),
        arity_([this](const Term& op) { return ArityOfOperator(op); }) {}

  AccessPath Find() {
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
      result_.reason =
          !refused_.empty()
              ? refused_
              : "no equality between a path into the object and something bound before";
    }
    return std::move(result_);
  }

 private:
  using Choices = std::vector<std::vector<Probe>>;

  // The variables that stand for keys of the tree: known, but not of the object.
  void NoteKeys() {
    for (std::size_t i = 3; i < site_.object_end; ++i) {
      const Term& item = *site_.reference->items[i];
      if (item.IsVar() && !site_.bound.contains(item.text)) {
        keys_.emplace(item.text, i - 3);
        origins_.Define(item.text, {.kind = Kind::kMixed, .path = {}, .given_by = {}});
      }
    }
  }

  // The expression of the reference itself: `object = data.inventory…`, or a comparison with a path into it. What else it
  // takes from the object cannot be followed.
  void NoteOwnExpression(const Expr& own) {
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

  void NoteCondition(const Expr& expr) {
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

  // What an expression after the scan binds and asks for.
  void Look(const Expr& expr, Choices* choices, std::size_t depth) {
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

  // Gives the variables that the expression binds their origins.
  void Bind(const Expr& expr, const Origin& from) {
    Origin origin = from;
    origin.path.reset();
    origin.given_by.push_back(&expr);
    for (const std::string& variable : OutputVars(expr, arity_, origins_.Safe())) {
      origins_.Define(variable, origin);
    }
  }

  // `collection[key]`
  void LookAtTerm(const Expr& expr, const Term& term, Choices* choices) {
    LookAtReference(expr, term, choices);
    const Origin of_term = origins_.Of(term);
    if (term.kind == TermKind::kRef && of_term.kind == Kind::kObject && of_term.path &&
        of_term.path->entry == nullptr) {
      AddTest(expr, of_term, choices);
    }
    Bind(expr, of_term);
  }

  // `not` of a path into the object; of something that every item of a collection in it passes.
  void LookAtNegation(const Expr& expr, Choices* choices, std::size_t depth) {
    std::vector<const Expr*> body;
    if (expr.negated) {
      Expr& plain = *written_->emplace_back(Clone1(expr)).front();
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

  void LookAtEvery(const Expr& expr, Choices* choices) {
    if (errors_.MayFail(expr) || !expr.terms[1]->IsVar()) {
      return;
    }
    const Origins outer = origins_;
    const EachItem each{.collection = expr.terms[2].get(),
                        .key = expr.terms[0].get(),
                        .value = expr.terms[1].get()};
    NoteItem(each);
    AddContainedItems(expr.location, each, Pointers(expr.body), {}, choices);
    origins_ = outer;
  }

  struct EachItem {
    const Term* collection = nullptr;
    const Term* key = nullptr;  // May be null.
    const Term* value = nullptr;
    bool or_undefined = false;  // There may be no collection.
  };

  static std::vector<const Expr*> Pointers(const Body& body) {
    std::vector<const Expr*> pointers;
    for (const ExprPtr& expr : body) {
      pointers.push_back(expr.get());
    }
    return pointers;
  }

  static Body Clone1(const Expr& expr) {
    Body body;
    body.push_back(Clone(expr));
    return body;
  }

  void NoteItem(const EachItem& each) {
    for (const Term* term : {each.key, each.value}) {
      if (term != nullptr && term->IsVar()) {
        origins_.Define(term->text, {.kind = Kind::kMixed, .path = {}, .given_by = {}});
      }
    }
  }

  // No solution of `value = collection[key]; not …`: each item of the collection passes. Names may be given before it; `guards`
  // give those that the object does not: without them nothing follows.
  void LookAtAbsence(const Location& location, const std::vector<const Expr*>& body,
                     std::vector<const Expr*> guards, std::size_t depth, Choices* choices) {
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
        Expr& plain = *written_->emplace_back(Clone1(*negation)).front();
        plain.negated = false;
        passed.push_back(&plain);
      } else {
        passed = Pointers(negation->body);
      }
      AddContainedItems(location, *each, passed, guards, choices);
    }
  }

  // A function that does not hold: none of its definitions does.
  void LookAtAbsentCall(const Location& location, const Expr& call,
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

  // Each item of a collection in the object passes `tests`, which hold only for keys or items of a collection that is known: then
  // the least does.
  void AddContainedItems(const Location& location, const EachItem& each,
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

  // The object alone decides whether the condition holds.
  void AddTest(const Expr& expr, const Origin& origin, Choices* choices) {
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
      Add(std::move(probe), choices);
    }
  }

  void LookAtReference(const Expr& expr, const Term& term, Choices* choices) {
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

  void LookAtEquality(const Expr& expr, const Term& left, const Term& right, Choices* choices) {
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
      if (value.kind == TermKind::kArrayComprehension ||
          value.kind == TermKind::kSetComprehension) {
        collected_.insert_or_assign(pattern.text, &value);
      }
    }
  }

  void DefineBy(const Expr& expr, const Term& variable, const Origin& from) {
    Origin origin = from;
    origin.given_by.push_back(&expr);
    origins_.Define(variable.text, std::move(origin));
  }

  void LookAtCall(const Expr& expr, Choices* choices, std::size_t depth) {
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
    } else if (depth < kMostInlined && !errors_.MayFail(expr)) {
      LookInside(expr, choices, depth);
    }
  }

  // `minus(a, b, d); count(d, n); n = 0`: a is contained in b.
  void NoteDifference(const Expr& expr, const std::string& name,
                      const std::vector<Origin>& arguments, const Term& output, Choices* choices) {
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

  void NoteCountOfCollected(const Expr& count, const Term& output, Choices* choices) {
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

  void AddNothingCollected(const Location& location, const Term& comprehension, Choices* choices) {
    if (errors_.MayFail(comprehension)) {
      return;
    }
    const Origins outer = origins_;
    LookAtAbsence(location, Pointers(comprehension.body), {}, 0, choices);
    origins_ = outer;
  }

  // `and(a, b, c); c = a`: a is contained in b.
  bool AddIntersection(const Expr& expr, const Term& left, const Term& right, Choices* choices) {
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
          AddContainment(expr, contained, of_contained, in, of_in,
                         ProgramSource::Keys::kLeastMember, choices);
          return true;
        }
      }
    }
    return false;
  }

  void AddNoDifference(const Expr& minus, Choices* choices) {
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

  // The body of a function that is asked whether it holds.
  void LookInside(const Expr& call, Choices* choices, std::size_t depth) {
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

  static Origin JoinOf(const Origin& a, const Origin& b) {
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

  void AddEquality(const Expr& expr, const Term& left, const Origin& of_left, const Term& right,
                   const Origin& of_right, Choices* choices) {
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
        probe.direct = direct_ && probe.given_by.empty() && probe.entry == nullptr;
      } else if (!MakeProgram(*term, *origin, ProgramSource::Keys::kValue, &probe)) {
        continue;
      }
      Add(std::move(probe), choices);
      return;
    }
  }

  // The result of a call equals what is known.
  void AddCallEquality(const Expr& call, const Origin& of_arguments, const Term& output,
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

  // What is taken from the object is among the keys or items of a collection.
  void AddMembership(const Expr& expr, const Term& taken, const Origin& origin,
                     const Term* collection, const Origin& of_collection, Probe::Keys keys,
                     Choices* choices) {
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

  // A collection taken from the object holds what is known.
  void AddHolds(const Expr& expr, const Term& collection, const Origin& origin, const Term& key,
                const Origin& of_key, Choices* choices) {
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

  // A set or object taken from the object is contained in one that is known: then its least member is a member of that too.
  void AddContainment(const Expr& expr, const Term& contained, const Origin& origin, const Term& in,
                      const Origin& of_in, ProgramSource::Keys keys, Choices* choices) {
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

  [[nodiscard]] index::Definition DefinitionOf(const ObjectPath& path) const {
    const Term& kind = *site_.reference->items[site_.object_end - 2];
    return {.scope = site_.scope,
            .kind = kind.kind == TermKind::kString ? kind.text : "",
            .path = path.steps};
  }

  bool MakeProgram(const Term& key, const Origin& origin, ProgramSource::Keys keys, Probe* probe,
                   bool or_undefined = false) {
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

  // Expressions were noted as they came, variable by variable; those that were inlined stand in their own bodies.
  [[nodiscard]] std::vector<const Expr*> InOrder(std::vector<const Expr*> expressions) const {
    const auto place = [this](const Expr* expr) {
      const auto found = order_.find(expr);
      return found == order_.end() ? order_.size() : found->second;
    };
    std::ranges::stable_sort(expressions, {}, place);
    return expressions;
  }

  void AddGivenBy(const Term& term, Probe* probe) const {
    for (const Expr* expr : origins_.Of(term).given_by) {
      if (std::ranges::find(probe->given_by, expr) == probe->given_by.end()) {
        probe->given_by.push_back(expr);
      }
    }
  }

  // A reference without its last operand, or its first `count` items.
  static std::unique_ptr<Term> Prefix(const Term& reference) {
    return Prefix(reference, reference.items.size() - 1);
  }
  static std::unique_ptr<Term> Prefix(const Term& reference, std::size_t count) {
    auto prefix = Clone(reference);
    prefix->items.resize(count);
    if (prefix->items.size() == 1) {
      return std::move(prefix->items[0]);
    }
    return prefix;
  }

  const Term* Keep(const Term& term, const Expr& of) {
    Body& body = written_->emplace_back();
    auto expr = std::make_unique<Expr>();
    expr->location = of.location;
    expr->terms.push_back(Clone(term));
    body.push_back(std::move(expr));
    return body.back()->terms[0].get();
  }

  // A probe may be made if what gives its key can be evaluated before the scan without an error.
  void Add(Probe probe, Choices* choices) {
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

  // The most promising first; those with constants (`spec.type == "LoadBalancer"`) only where there is nothing else.
  void Choose() {
    Choices& choices = result_.choices;
    const auto is_constant = [this](const std::vector<Probe>& choice) {
      return choice.size() == 1 && choice[0].keys == Probe::Keys::kValue &&
             origins_.Of(*choice[0].key).kind == Kind::kConstant;
    };
    std::ranges::stable_partition(choices,
                                  [&](const auto& choice) { return !is_constant(choice); });
    if (!choices.empty() && !is_constant(choices.front())) {
      std::erase_if(choices, is_constant);
    }
    if (choices.size() > kMostChoices) {
      choices.resize(kMostChoices);
    }
  }

  [[nodiscard]] int ArityOfOperator(const Term& op) const {
    if (const RuleSet* rules = FunctionNamed(policy_, op)) {
      return static_cast<int>(rules->rules.front()->arguments.size());
    }
    const builtins::Builtin* builtin = policy_.catalog->Find(ToString(op));
    return builtin == nullptr ? -1 : ArityOf(*builtin);
  }

  const InventorySite& site_;
  const CompiledPolicy& policy_;
  ErrorAnalysis& errors_;
  std::deque<Body>* written_;
  AccessPath result_;
  Origins origins_;
  const Arity arity_;
  std::map<std::string, std::size_t, std::less<>> keys_;
  std::map<std::string, const Expr*, std::less<>> differences_;  // d of minus(a, b, d).
  std::map<std::string, const Expr*, std::less<>> counts_;       // n of count(d, n): the minus.
  std::map<std::string, const Expr*, std::less<>> intersections_;
  std::map<std::string, const Term*, std::less<>> collected_;         // Comprehensions by name.
  std::map<std::string, const Term*, std::less<>> collected_counts_;  // n of count(c, n).
  std::map<const Expr*, std::size_t> order_;
  std::uint32_t next_name_ = 0;
  bool direct_ = false;  // What is looked at stands in the body itself.
  std::string refused_;  // Why the last expression that could have been indexed was not.
};

}  // namespace

AccessPath FindAccessPath(const InventorySite& site, const CompiledPolicy& policy,
                          ErrorAnalysis& errors, std::deque<Body>* written) {
  return JoinFinder(site, policy, errors, written).Find();
}

}  // namespace portcullis::rego
