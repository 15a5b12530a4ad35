#include "rules/rego/rule_needs.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "rules/rego/compilation.h"
#include "rules/rego/index_ways.h"
#include "rules/rego/variables.h"
#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

using Constants = std::map<std::string, const Term*, std::less<>>;
using Way = std::vector<Need>;

bool IsCollection(const Term& term) {
  return term.kind == TermKind::kArray || term.kind == TermKind::kObject ||
         term.kind == TermKind::kSet;
}

// An operand that the index can look for: a scalar, a variable, or an array of such.
bool IsIndexable(const Term& term) {
  const auto is_leaf = [](const Term& item) { return item.IsScalar() || item.IsVar(); };
  return is_leaf(term) ||
         (term.kind == TermKind::kArray &&
          std::ranges::all_of(term.items, [&](const TermPtr& item) { return is_leaf(*item); }));
}

bool HasPattern(std::string_view text) {
  bool escaped = false;
  for (const char c : text) {
    if (c == '\\') {
      escaped = !escaped;
      continue;
    }
    if (!escaped && std::string_view("[?{*").contains(c)) {
      return true;
    }
    escaped = false;
  }
  return false;
}

// Prints must be seen, so a definition that has one is tried always.
bool Prints(const Body& body) {
  bool found = false;
  const auto is_print = [](const Expr& expr) {
    if (expr.kind != ExprKind::kCall) {
      return false;
    }
    const std::string name = ToString(*expr.terms[0]);
    return name == "internal.print" || name == "internal.test_case";
  };
  ConstVisitor visitor;
  visitor.term = [](const Term& term) { return !IsComprehension(term); };
  visitor.expr = [&](const Expr& expr) {
    found = found || is_print(expr);
    return !found;
  };
  Walk(body, visitor);
  return found;
}

// Reads a body, or an operand of `and` and `or` within it.
class Reader {
 public:
  Reader(const Rule& rule, const RuleTree& rules, Way outer)
      : rule_(rule), rules_(rules), outer_(std::move(outer)) {}

  void Read(const Body& body, Constants constants) {
    constants_ = std::move(constants);
    for (const ExprPtr& expr : body) {
      if (expr->with.empty() && !expr->negated) {
        Read(*expr);
      }
    }
  }

  // Each a way to meet the body.
  [[nodiscard]] std::vector<Way> Ways() const { return CombineWays(needs_, choices_); }

  std::vector<NeededKey> keys;

 private:
  void Read(const Expr& expr) {
    switch (expr.kind) {
      case ExprKind::kAnd:
        Require(WaysOf(expr.body), WaysOf(expr.right));
        return;
      case ExprKind::kOr: {
        std::vector<Way> left = WaysOf(expr.body);
        std::vector<Way> right = WaysOf(expr.right);
        if (!left.empty() && !right.empty()) {
          std::ranges::move(right, std::back_inserter(left));
          Require(std::move(left), {});
        }
        return;
      }
      case ExprKind::kTerm:
        if (expr.terms[0]->kind == TermKind::kRef && !ReadKey(*expr.terms[0])) {
          if (auto part = PartOf(*expr.terms[0])) {
            Insert(*part, Need::Kind::kEqual, nullptr);
          }
        }
        return;
      case ExprKind::kCall:
        return ReadCall(expr);
      default:
        return;
    }
  }

  void ReadCall(const Expr& expr) {
    const std::string name = ToString(*expr.terms[0]);
    if (name == "glob.match" && expr.terms.size() == 4) {
      return ReadGlob(*expr.terms[1], *expr.terms[2], *expr.terms[3]);
    }
    if (expr.terms.size() != 3) {
      return;
    }
    const Term& a = *expr.terms[1];
    const Term& b = *expr.terms[2];
    if (name == "eq" || name == "equal") {
      if (!ReadItem(a, b) && !ReadItem(b, a) && !ReadEqual(a, b)) {
        ReadEqual(b, a);
      }
    } else if (name == "internal.member_2") {
      ReadMember(a, b);
    } else if (name == "startswith" || name == "endswith") {
      if (const Term* text = ConstantOf(b); text->kind == TermKind::kString) {
        ReadAffix(a, {text}, name == "startswith");
      }
    } else if (name == "strings.any_prefix_match" || name == "strings.any_suffix_match") {
      ReadAffixes(a, *ConstantOf(b), name == "strings.any_prefix_match");
    }
  }

  // The constant that a variable stands for, or the term itself.
  [[nodiscard]] const Term* ConstantOf(const Term& term) const {
    const auto found = term.IsVar() ? constants_.find(term.text) : constants_.end();
    return found == constants_.end() ? &term : found->second;
  }

  [[nodiscard]] std::optional<NeededPart> PartOfVariable(const Term& variable) const {
    for (const Way* way : {&needs_, &outer_}) {
      for (const Need& need : *way) {
        if (need.kind == Need::Kind::kEqual && need.value != nullptr && need.value->IsVar() &&
            need.value->text == variable.text) {
          return need.part;
        }
      }
    }
    for (std::size_t i = 0; i < rule_.arguments.size(); ++i) {
      if (rule_.arguments[i]->IsVar() && rule_.arguments[i]->text == variable.text) {
        return NeededPart{static_cast<std::int32_t>(i), {}};
      }
    }
    return std::nullopt;
  }

  // The longest part that a reference names with constants; `free`: the operands after it.
  [[nodiscard]] std::optional<NeededPart> PrefixOf(const Term& ref, std::size_t* free) const {
    const Term& head = *ref.items[0];
    NeededPart part;
    if (!head.IsVar()) {
      return std::nullopt;
    }
    if (head.text == "input" || head.text == "data") {
      part.root = head.text == "input" ? NeededPart::kInput : NeededPart::kData;
    } else if (auto alias = PartOfVariable(head)) {
      part = *std::move(alias);
    } else {
      return std::nullopt;
    }
    for (std::size_t i = 1; i < ref.items.size(); ++i) {
      const Term* key = ref.items[i].get();
      if (const Term* constant = ConstantOf(*key); constant->IsScalar()) {
        key = constant;
      }
      if (!IsConstant(*key)) {
        *free = ref.items.size() - i;
        return part;
      }
      part.keys.push_back(key);
    }
    *free = 0;
    return part;
  }

  // Arguments' own parts are told apart by nothing.
  [[nodiscard]] bool MayTell(const NeededPart& part) const {
    return part.root == NeededPart::kInput || (part.root == NeededPart::kData && !HasRules(part));
  }

  [[nodiscard]] bool HasRules(const NeededPart& part) const {
    if (part.root != NeededPart::kData) {
      return false;
    }
    const RuleTree* node = &rules_;
    for (const Term* key : part.keys) {
      node = key->kind == TermKind::kString ? node->Child(key->text) : nullptr;
      if (node == nullptr || node->rules != nullptr) {
        return node != nullptr;
      }
    }
    return true;
  }

  [[nodiscard]] std::optional<NeededPart> PartOf(const Term& term) const {
    std::size_t free = 0;
    std::optional<NeededPart> part = term.IsVar()                  ? PartOfVariable(term)
                                     : term.kind == TermKind::kRef ? PrefixOf(term, &free)
                                                                   : std::nullopt;
    return part && free == 0 && MayTell(*part) ? std::move(part) : std::nullopt;
  }

  // `input.xs[_] == value`
  bool ReadItem(const Term& ref, const Term& other) {
    std::size_t free = 0;
    auto part = ref.kind == TermKind::kRef ? PrefixOf(ref, &free) : std::nullopt;
    const Term* value = ConstantOf(other);
    if (!part || free != 1 || !MayTell(*part) || !value->IsScalar()) {
      return false;
    }
    Insert(*part, Need::Kind::kMember, value);
    return true;
  }

  bool ReadEqual(const Term& a, const Term& b) {
    if (a.IsVar()) {
      const Term* constant = ConstantOf(b);
      if (IsConstant(*constant)) {
        constants_[a.text] = constant;
      }
      auto part = IsIndexable(b) ? PartOfVariable(a) : std::nullopt;
      if (!part) {
        return false;
      }
      Insert(*part, Need::Kind::kEqual, &b);
      return true;
    }
    auto part = a.kind == TermKind::kRef ? PartOf(a) : std::nullopt;
    if (!part || !IsIndexable(b)) {
      return false;
    }
    Insert(*part, Need::Kind::kEqual, ConstantOf(b));
    return true;
  }

  void ReadMember(const Term& item, const Term& collection) {
    if (auto part = item.IsVar() ? PartOfVariable(item) : std::nullopt) {
      const Term& constant = *ConstantOf(collection);
      if (!IsCollection(constant)) {
        return;
      }
      const std::size_t step = constant.kind == TermKind::kObject ? 2 : 1;
      std::vector<const Term*> values;
      for (std::size_t i = step - 1; i < constant.items.size(); i += step) {
        values.push_back(constant.items[i].get());
      }
      if (std::ranges::none_of(values, &Term::IsVar)) {
        for (const Term* value : values) {
          Insert(*part, Need::Kind::kEqual, value);
        }
      }
      return;
    }
    const Term* value = ConstantOf(item);
    auto part = PartOf(collection);
    if (part && (value->IsVar() || value->IsScalar())) {
      Insert(*part, value->IsVar() ? Need::Kind::kEqual : Need::Kind::kMember, value);
    }
  }

  void ReadAffixes(const Term& searched, const Term& bases, bool prefix) {
    if (bases.kind == TermKind::kString) {
      return ReadAffix(searched, {&bases}, prefix);
    }
    std::vector<const Term*> texts;
    if (bases.kind != TermKind::kArray && bases.kind != TermKind::kSet) {
      return;
    }
    for (const TermPtr& item : bases.items) {
      if (item->kind != TermKind::kString) {
        return;
      }
      texts.push_back(item.get());
    }
    ReadAffix(searched, texts, prefix);
  }

  void ReadAffix(const Term& searched, const std::vector<const Term*>& texts, bool prefix) {
    if (auto part = PartOf(searched)) {
      for (const Term* text : texts) {
        Insert(*part, prefix ? Need::Kind::kPrefix : Need::Kind::kSuffix, text);
      }
    }
  }

  void ReadGlob(const Term& pattern, const Term& delimiters, const Term& match) {
    auto part = match.IsVar() ? PartOfVariable(match) : std::nullopt;
    if (!part || pattern.kind != TermKind::kString || delimiters.kind != TermKind::kArray) {
      return;
    }
    Need need;
    need.part = *std::move(part);
    need.kind = Need::Kind::kGlob;
    need.value = &pattern;
    for (const TermPtr& item : delimiters.items) {
      if (item->kind != TermKind::kString) {
        return;
      }
      need.delimiter += item->text;
    }
    if (delimiters.items.empty()) {
      need.delimiter = ".";
    }
    for (std::string& segment : SplitEscaped(pattern.text, need.delimiter)) {
      if (segment != "*" && HasPattern(segment)) {
        return;
      }
      need.segments.push_back(segment == "*" ? std::nullopt : std::optional(std::move(segment)));
    }
    Insert(std::move(need));
  }

  // `data.groups[input.group]`
  bool ReadKey(const Term& ref) {
    std::size_t free = 0;
    auto collection = PrefixOf(ref, &free);
    if (!ref.items[0]->IsVar() || ref.items[0]->text != "data" || free != 1 ||
        HasRules(*collection)) {
      return false;
    }
    const Term& last = *ref.items.back();
    auto key = last.IsVar() ? PartOfVariable(last) : PartOf(last);
    if (!key || HasRules(*key)) {
      return false;
    }
    keys.push_back({*std::move(key), *std::move(collection)});
    return true;
  }

  std::vector<Way> WaysOf(const Body& body) {
    Way outer = needs_;
    std::ranges::copy(outer_, std::back_inserter(outer));
    Reader inner(rule_, rules_, std::move(outer));
    inner.Read(body, constants_);
    std::vector<Way> ways = inner.Ways();
    if (ways.size() == 1 && ways[0].empty()) {
      return {};
    }
    for (Way& way : ways) {
      for (Need& need : way) {
        if (need.IsAnything()) {
          need.value = nullptr;  // The variable is not known outside.
        }
      }
    }
    return ways;
  }

  void Require(std::vector<Way> first, std::vector<Way> second) {
    for (std::vector<Way>* ways : {&first, &second}) {
      if (ways->size() == 1) {
        for (Need& need : ways->front()) {
          Insert(std::move(need));
        }
      } else if (!ways->empty()) {
        choices_.push_back(std::move(*ways));
      }
    }
  }

  static bool IsSame(const Term* a, const Term* b) {
    return a == b || (a != nullptr && b != nullptr && Compare(*a, *b) == 0);
  }

  void Insert(const NeededPart& part, Need::Kind kind, const Term* value) {
    Need need;
    need.part = part;
    need.kind = kind;
    need.value = value;
    Insert(std::move(need));
  }

  void Insert(Need need) {
    for (Need& other : needs_) {
      if (!other.part.IsSame(need.part)) {
        continue;
      }
      if (other.kind == need.kind && IsSame(other.value, need.value)) {
        return;
      }
      const bool is_affix = need.kind == Need::Kind::kPrefix || need.kind == Need::Kind::kSuffix;
      if (!need.IsAnything() && !is_affix && other.IsAnything()) {
        other = std::move(need);
        return;
      }
    }
    needs_.push_back(std::move(need));
  }

  const Rule& rule_;
  const RuleTree& rules_;
  const Way outer_;  // Of the body around an operand.
  Constants constants_;
  Way needs_;
  std::vector<std::vector<Way>> choices_;
};

}  // namespace

bool NeededPart::IsSame(const NeededPart& other) const {
  return root == other.root &&
         std::ranges::equal(keys, other.keys,
                            [](const Term* a, const Term* b) { return Compare(*a, *b) == 0; });
}

bool RuleNeeds::HasValue(const NeededPart& part) const {
  return std::ranges::any_of(ways, [&](const std::vector<Need>& way) {
    return std::ranges::any_of(
        way, [&](const Need& need) { return !need.IsAnything() && need.part.IsSame(part); });
  });
}

RuleNeeds NeedsOf(const Rule& rule, const RuleTree& rules) {
  if (Prints(rule.body)) {
    return {.ways = {{}}, .keys = {}};
  }
  Reader reader(rule, rules, {});
  reader.Read(rule.body, {});
  return {.ways = reader.Ways(), .keys = std::move(reader.keys)};
}

}  // namespace portcullis::rego
