#include "rules/rego/access_path.h"

#include <algorithm>
#include <array>
#include <utility>

namespace portcullis::rego {
namespace {

using index::PathStep;

bool IsOperator(const Expr& expr, std::string_view name) {
  return expr.kind == ExprKind::kCall && ToString(*expr.terms[0]) == name;
}

bool IsEquality(const Expr& expr) {
  return expr.terms.size() == 3 &&
         (IsOperator(expr, "eq") || IsOperator(expr, "equal") || IsOperator(expr, "assign"));
}

// Builtins that only look at their operands: cheap, and without effects that could be seen.
constexpr std::array<std::string_view, 12> kKeyTests = {
    "regex.match", "re_match", "startswith", "endswith", "contains", "equal",
    "neq",         "eq",       "lt",         "lte",      "gt",       "gte"};

// Follows what is taken from the object through the rest of the body.
class JoinFinder {
 public:
  JoinFinder(const InventorySite& site, ErrorAnalysis& errors) : site_(site), errors_(errors) {}

  AccessPath Find() {
    AccessPath result;
    const Expr& own = *(*site_.body)[site_.expression];
    if (!own.with.empty() || own.negated) {
      result.reason = own.negated ? "the reference is negated" : "the expression has a `with`";
      return result;
    }
    NoteKeys();
    if (NoteOwnExpression(own, &result)) {
      return result;
    }
    for (std::size_t i = site_.expression + 1; i < site_.body->size(); ++i) {
      const Expr& expr = *(*site_.body)[i];
      NoteCondition(expr, &result);
      if (!result.index && !expr.negated && expr.with.empty() && IsEquality(expr)) {
        TryEquality(*expr.terms[1], *expr.terms[2], &result);
      }
      if (errors_.MayFail(expr)) {
        if (!result.index) {
          result.reason = "line " + std::to_string(expr.location.row) +
                          " could end in an error for objects that an index would leave out";
        }
        return result;
      }
    }
    if (!result.index && result.reason.empty()) {
      result.reason = "no equality between a path into the object and something bound before";
    }
    return result;
  }

 private:
  // The variables that stand for keys of the tree.
  void NoteKeys() {
    for (std::size_t i = 3; i < site_.object_end; ++i) {
      const Term& item = *site_.reference->items[i];
      if (item.IsVar() && !site_.is_bound(item.text)) {
        keys_.emplace(item.text, i - 3);
      }
    }
  }

  // The expression of the reference itself: `object = data.inventory…`, or a comparison with a path into it. True: nothing
  // after it counts.
  bool NoteOwnExpression(const Expr& own, AccessPath* result) {
    if (!IsEquality(own)) {
      // A condition on the value is evaluated on the way; what it takes from the object cannot be followed.
      return errors_.MayFail(own);
    }
    for (const auto& [side, other] : {std::pair(own.terms[1].get(), own.terms[2].get()),
                                      std::pair(own.terms[2].get(), own.terms[1].get())}) {
      if (side != site_.reference) {
        continue;
      }
      const auto path = Path({}, *side, site_.object_end);
      if (!path) {
        return errors_.MayFail(own);
      }
      if (other->IsVar() && !site_.is_bound(other->text)) {
        derived_[other->text] = *path;
      } else if (!path->empty() && IsKey(*other)) {
        Choose(*path, *other, result);
      }
    }
    return errors_.MayFail(own);
  }

  void TryEquality(const Term& a, const Term& b, AccessPath* result) {
    for (const auto& [side, other] : {std::pair(&a, &b), std::pair(&b, &a)}) {
      const auto path = PathOf(*side);
      if (!path) {
        continue;
      }
      if (IsKey(*other)) {
        if (!path->empty()) {
          Choose(*path, *other, result);
          return;
        }
      } else if (other->IsVar() && !site_.is_bound(other->text) && !keys_.contains(other->text)) {
        derived_.emplace(other->text, *path);
      }
    }
  }

  void NoteCondition(const Expr& expr, AccessPath* result) const {
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
      } else if (!term.IsScalar() && !(term.IsVar() && site_.is_bound(term.text))) {
        return;
      }
    }
    if (level) {
      result->conditions.push_back({.level = *level, .expr = &expr});
    }
  }

  // True if the term needs nothing but what is bound before the scan, has one value at most and cannot fail.
  bool IsKey(const Term& term) const {
    if (term.IsVar()) {
      return site_.is_bound(term.text);
    }
    if (term.kind == TermKind::kRef) {
      const Term& head = *term.items[0];
      if (!head.IsVar() || head.text == "data" ||
          (head.text != "input" && !site_.is_bound(head.text))) {
        return false;
      }
      return std::all_of(term.items.begin() + 1, term.items.end(), [this](const TermPtr& item) {
        return item->IsScalar() || (item->IsVar() && site_.is_bound(item->text));
      });
    }
    return IsGround(term);
  }

  using Steps = std::vector<PathStep>;

  std::optional<Steps> PathOf(const Term& term) const {
    const Term& head = term.kind == TermKind::kRef ? *term.items[0] : term;
    if (!head.IsVar()) {
      return std::nullopt;
    }
    const auto from = derived_.find(head.text);
    if (from == derived_.end()) {
      return std::nullopt;
    }
    return term.kind == TermKind::kRef ? Path(from->second, term, 1) : from->second;
  }

  // `path` and the operands of a reference from `begin` on. What is no constant name may be any item: that covers more.
  static std::optional<Steps> Path(Steps path, const Term& reference, std::size_t begin) {
    for (std::size_t i = begin; i < reference.items.size(); ++i) {
      const Term& item = *reference.items[i];
      if (item.kind == TermKind::kString) {
        path.push_back({.kind = PathStep::Kind::kField, .field = item.text});
      } else if (item.IsVar() || item.kind == TermKind::kNumber) {
        path.push_back({.kind = PathStep::Kind::kAnyItem, .field = {}});
      } else {
        return std::nullopt;
      }
    }
    if (path.size() > index::kMaxPathSteps) {
      return std::nullopt;
    }
    return path;
  }

  void Choose(Steps path, const Term& key, AccessPath* result) const {
    const Term& kind = *site_.reference->items[site_.object_end - 2];
    result->index = index::Definition{.scope = site_.scope,
                                      .kind = kind.kind == TermKind::kString ? kind.text : "",
                                      .path = std::move(path)};
    result->key = &key;
    result->reason.clear();
  }

  const InventorySite& site_;
  ErrorAnalysis& errors_;
  std::map<std::string, std::size_t, std::less<>> keys_;
  std::map<std::string, Steps, std::less<>> derived_;
};

}  // namespace

AccessPath FindAccessPath(const InventorySite& site, ErrorAnalysis& errors) {
  return JoinFinder(site, errors).Find();
}

}  // namespace portcullis::rego
