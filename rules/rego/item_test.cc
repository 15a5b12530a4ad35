#include "rules/rego/item_test.h"

#include <memory>
#include <string>

#include "rules/rego/variables.h"

namespace portcullis::rego {
namespace {

bool IsNamed(const Term& term, const Term* variable) {
  return variable != nullptr && variable->IsVar() && term.IsVar() && term.text == variable->text;
}

// True if the first `count` items of the reference are the same for every object.
bool IsKnown(const Term& reference, std::size_t count,
             const std::function<Origin::Kind(const Term&)>& kind_of) {
  const TermPtr prefix = Clone(reference);
  prefix->items.resize(count);
  return kind_of(count == 1 ? *prefix->items[0] : *prefix) == Origin::Kind::kInvariant;
}

}  // namespace

std::optional<ItemTest> FindItemTest(const Expr& test, const Term* key, const Term* value,
                                     const std::function<Origin::Kind(const Term&)>& kind_of) {
  const bool is_call = test.kind == ExprKind::kCall;
  // A call fails where an operand is undefined: so each reference in it leads somewhere.
  for (std::size_t i = is_call ? 1 : 0; i < test.terms.size(); ++i) {
    const Term& term = *test.terms[i];
    for (std::size_t at = 1; term.kind == TermKind::kRef && at < term.items.size(); ++at) {
      const bool of_key = IsNamed(*term.items[at], key);
      if ((of_key || IsNamed(*term.items[at], value)) && IsKnown(term, at, kind_of)) {
        return ItemTest{.of_key = of_key, .in_items = false, .collection = &term, .prefix = at};
      }
    }
  }
  if (!is_call || test.terms.size() != 3) {
    return std::nullopt;
  }
  if (ToString(*test.terms[0]) == "internal.member_2") {
    const bool of_key = IsNamed(*test.terms[1], key);
    if ((of_key || IsNamed(*test.terms[1], value)) &&
        kind_of(*test.terms[2]) == Origin::Kind::kInvariant) {
      return ItemTest{
          .of_key = of_key, .in_items = true, .collection = test.terms[2].get(), .prefix = 0};
    }
    return std::nullopt;
  }
  if (!IsEquality(test)) {
    return std::nullopt;
  }
  for (const std::size_t side : {1, 2}) {
    const Term& list = *test.terms[side];
    const Term& item = *test.terms[3 - side];
    const bool of_key = IsNamed(item, key);
    if ((of_key || IsNamed(item, value)) && list.kind == TermKind::kRef &&
        list.items.back()->IsWildcard() && IsKnown(list, list.items.size() - 1, kind_of)) {
      return ItemTest{
          .of_key = of_key, .in_items = true, .collection = &list, .prefix = list.items.size() - 1};
    }
  }
  return std::nullopt;
}

}  // namespace portcullis::rego
