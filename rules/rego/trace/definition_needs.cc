#include "rules/rego/trace/definition_needs.h"

#include <map>
#include <utility>

#include "rules/rego/compilation.h"
#include "rules/rego/index_ways.h"

namespace portcullis::rego::trace {
namespace {

// Reads the needs of one body.
class Reader {
 public:
  using Known = std::map<std::string, const Term*, std::less<>>;
  Reader(Questions& questions, const Definitions& definitions, Constants& constants,
         const Rule& rule, Needs& needs, Path outer = {})
      : questions_(questions),
        definitions_(definitions),
        constants_(constants),
        rule_(rule),
        needs_(needs),
        outer_(std::move(outer)) {}

  void Read(const Body& body, Known& known) {
    for (const ExprPtr& expr : body) {
      Read(*expr, known);
    }
  }

 private:
  [[nodiscard]] bool is_new() const { return questions_.release == Release::k1_22; }

  void Read(const Expr& written, Known& known) {
    if (!written.with.empty() || written.negated) {
      return;
    }
    if (written.kind == ExprKind::kAnd || written.kind == ExprKind::kOr) {
      if (is_new()) {
        ReadLogical(written, known);
      }
      return;
    }
    if (written.kind == ExprKind::kTerm) {
      const TermPtr plugged = Plugged(*written.terms[0], known);
      const Term& term = *Kept(plugged, *written.terms[0]);
      if (term.kind == TermKind::kRef && !(is_new() && ReadCollectionKey(term))) {
        ReadEqual(term, nullptr, known);
      }
      return;
    }
    if (written.kind != ExprKind::kCall || written.terms.size() < 3) {
      return;
    }
    const std::string name = ToString(*written.terms[0]);
    const TermPtr first = Plugged(*written.terms[1], known);
    const TermPtr second = Plugged(*written.terms[2], known);
    const Term& a = *Kept(first, *written.terms[1]);
    const Term& b = *Kept(second, *written.terms[2]);
    const std::size_t operands = written.terms.size() - 1;
    if (name == "eq" || (name == "equal" && operands == 2)) {
      if (!ReadWildcard(a, b, known) && !ReadWildcard(b, a, known)) {
        ReadEqual(a, &b, known);
      }
    } else if (name == "glob.match" && operands == 3) {
      ReadGlob(a, b, *written.terms[3]);
    } else if (name == "internal.member_2" && operands == 2) {
      ReadMember(a, b, known);
    } else if (is_new() && operands == 2) {
      if (name == "startswith" || name == "endswith") {
        ReadAffix(a, b, known, name == "startswith" ? Affix::kPrefix : Affix::kSuffix);
      } else if (name == "strings.any_prefix_match" || name == "strings.any_suffix_match") {
        ReadAnyAffix(a, b, known,
                     name == "strings.any_prefix_match" ? Affix::kPrefix : Affix::kSuffix);
      }
    }
  }

  // A reference with the variables in it that are known to be scalars replaced; null: there are none.
  [[nodiscard]] TermPtr Plugged(const Term& term, const Known& known) const {
    if (!is_new() || term.kind != TermKind::kRef) {
      return nullptr;
    }
    TermPtr copy;
    for (std::size_t i = 1; i < term.items.size(); ++i) {
      const auto found = term.items[i]->IsVar() ? known.find(term.items[i]->text) : known.end();
      if (found != known.end() && found->second->IsScalar()) {
        copy = copy == nullptr ? Clone(term) : std::move(copy);
        copy->items[i] = Clone(*found->second);
      }
    }
    return copy;
  }
  [[nodiscard]] static const Term* Kept(const TermPtr& copy, const Term& term) {
    return copy == nullptr ? &term : copy.get();
  }

  void ReadLogical(const Expr& expr, const Known& known) {
    const std::vector<Path> left = PathsOfOperand(expr.body, known);
    if (expr.kind == ExprKind::kOr) {
      std::vector<Path> right =
          left.empty() ? std::vector<Path>() : PathsOfOperand(expr.right, known);
      if (right.empty()) {
        return;
      }
      right.insert(right.begin(), left.begin(), left.end());
      return Require(std::move(right));
    }
    std::vector<Path> right = PathsOfOperand(expr.right, known);
    Require(left);
    Require(std::move(right));
  }

  std::vector<Path> PathsOfOperand(const Body& body, Known known) {
    Needs needs;
    Path outer = needs_.always;
    outer.insert(outer.end(), outer_.begin(), outer_.end());
    // Counts of an operand do not order the levels: only what is required of it does.
    const std::vector<Level> saved = questions_.levels;
    Reader(questions_, definitions_, constants_, rule_, needs, std::move(outer)).Read(body, known);
    for (std::size_t i = 0; i < questions_.levels.size(); ++i) {
      const Location location = questions_.levels[i].location;
      questions_.levels[i] = i < saved.size() ? saved[i] : Level{};
      questions_.levels[i].location = location;
    }
    std::vector<Path> paths = PathsOf(needs);
    if (paths.size() == 1 && paths[0].empty()) {
      return {};
    }
    for (Path& path : paths) {
      for (Need& need : path) {
        if (need.is_var()) {
          need.variable.clear();
        }
      }
    }
    return paths;
  }

  void Require(std::vector<Path> paths) {
    if (paths.empty()) {
      return;
    }
    if (paths.size() == 1) {
      for (Need& need : paths[0]) {
        Insert(std::move(need));
      }
      return;
    }
    for (const Path& path : paths) {
      for (const Need& need : path) {
        ++questions_.levels[need.ref].count;
      }
    }
    needs_.choices.push_back(std::move(paths));
  }

  // What a variable stands for: what it was bound to, or an argument.
  [[nodiscard]] std::optional<IndexedRef> Resolve(std::string_view variable) const {
    for (const Path* path : {&std::as_const(needs_.always), &outer_}) {
      for (const Need& need : *path) {
        if (need.is_var() && need.variable == variable) {
          return questions_.refs[need.ref];
        }
      }
    }
    for (std::size_t i = 0; i < rule_.arguments.size(); ++i) {
      if (rule_.arguments[i]->IsVar() && rule_.arguments[i]->text == variable) {
        return IndexedRef{.root = IndexedRef::Root::kArgument, .argument = i, .path = {}};
      }
    }
    return std::nullopt;
  }

  // The reference as far as `end`, if all of it is ground; its head may be a local that stands for another.
  [[nodiscard]] std::optional<IndexedRef> RefOf(const Term& ref, std::size_t end) const {
    IndexedRef result;
    if (ref.items[0]->text == "input" || ref.items[0]->text == "data") {
      result.root =
          ref.items[0]->text == "input" ? IndexedRef::Root::kInput : IndexedRef::Root::kData;
    } else {
      std::optional<IndexedRef> head = is_new() ? Resolve(ref.items[0]->text) : std::nullopt;
      // What an argument holds is asked whole.
      if (!head || head->root == IndexedRef::Root::kArgument) {
        return std::nullopt;
      }
      result = *std::move(head);
    }
    for (std::size_t i = 1; i < end; ++i) {
      if (!IsConstant(*ref.items[i])) {
        return std::nullopt;
      }
      result.path.push_back(constants_.ValueOf(*ref.items[i]));
    }
    return result;
  }

  [[nodiscard]] bool IsAskable(const IndexedRef& ref) const {
    return ref.root != IndexedRef::Root::kData || !definitions_.IsVirtual(ref.path);
  }

  std::size_t NumberOf(const IndexedRef& ref, const Location& location) {
    return questions_.NumberOf(ref, location);
  }

  void Insert(Need need) {
    Path& path = needs_.always;
    bool seen = false;
    if (!is_new()) {
      ++questions_.levels[need.ref].count;
    }
    for (Need& other : path) {
      if (other.ref != need.ref) {
        continue;
      }
      seen = true;
      if (other.affix == need.affix && other.SameValue(need)) {
        return;
      }
      if (!need.is_var() && need.affix == Affix::kNone && other.is_var()) {
        other = std::move(need);
        return;
      }
      if (!need.is_var() && !other.is_var()) {
        int& alternated = questions_.levels[need.ref].alternated;
        const bool ends = need.affix != Affix::kNone || other.affix != Affix::kNone;
        alternated = std::max(alternated, ends ? 2 : 1);
      }
    }
    if (!seen && is_new()) {
      ++questions_.levels[need.ref].count;
    }
    path.push_back(std::move(need));
  }

  // What a term asks of the value that it is compared with; nothing: it cannot be told.
  [[nodiscard]] std::optional<Need> NeedOf(const Term& term) const {
    Need need;
    if (term.IsVar()) {
      need.variable = term.text;
      return need;
    }
    if (term.IsScalar()) {
      need.kind = Need::Kind::kScalar;
      need.value = constants_.ValueOf(term);
      return need;
    }
    const bool flat =
        term.kind == TermKind::kArray && std::ranges::all_of(term.items, [](const TermPtr& item) {
          return item->IsScalar() || item->IsVar();
        });
    if (!flat) {
      return std::nullopt;
    }
    need.kind = Need::Kind::kArray;
    need.array = &questions_.terms.emplace_back(std::move(*Clone(term)));
    return need;
  }

  void ReadEqual(const Term& a, const Term* b, Known& known) {
    if (!ReadSides(a, b, known) && b != nullptr) {
      ReadSides(*b, &a, known);
    }
  }

  // `b`: null where the reference must only be there.
  bool ReadSides(const Term& a, const Term* b, Known& known) {
    if (a.IsVar() && b != nullptr) {
      if (IsConstant(*b)) {
        known[a.text] = b;
      } else if (is_new() && b->IsVar() && known.contains(b->text)) {
        known[a.text] = known.find(b->text)->second;
      }
      std::optional<Need> need = NeedOf(*b);
      const auto ref = need ? Resolve(a.text) : std::nullopt;
      if (!ref) {
        return false;
      }
      need->ref = NumberOf(*ref, a.location);
      Insert(*std::move(need));
      return true;
    }
    if (a.kind != TermKind::kRef) {
      return false;
    }
    const auto ref = RefOf(a, a.items.size());
    if (!ref || !IsAskable(*ref)) {
      return false;
    }
    std::optional<Need> need = Need{};
    if (b != nullptr) {
      const Term* value = b;
      if (const auto found = b->IsVar() ? known.find(b->text) : known.end(); found != known.end()) {
        value = found->second;
        if (!NeedOf(*value)) {
          need->kind = Need::Kind::kComposite;
          need->value = constants_.ValueOf(*value);
          value = nullptr;
        }
      }
      need = value == nullptr ? need : NeedOf(*value);
    }
    if (!need) {
      return false;
    }
    need->ref = NumberOf(*ref, a.items[0]->location);
    Insert(*std::move(need));
    return true;
  }

  // `input.x[_] == "v"`
  bool ReadWildcard(const Term& a, const Term& b, const Known& known) {
    if (a.kind != TermKind::kRef || a.items.size() < 2 || IsGround(*a.items.back())) {
      return false;
    }
    const auto ref = RefOf(a, a.items.size() - 1);
    if (!ref || !IsAskable(*ref)) {
      return false;
    }
    const Term* value = &b;
    if (const auto found = b.IsVar() ? known.find(b.text) : known.end(); found != known.end()) {
      value = found->second;
    }
    if (!value->IsScalar()) {
      return false;
    }
    Need need;
    need.kind = is_new() ? Need::Kind::kMember : Need::Kind::kScalar;
    need.value = constants_.ValueOf(*value);
    need.ref = NumberOf(*ref, a.items[0]->location);
    Insert(std::move(need));
    return true;
  }

  void ReadGlob(const Term& pattern, const Term& delimiters, const Term& matched) {
    if (delimiters.kind != TermKind::kArray || pattern.kind != TermKind::kString ||
        !matched.IsVar()) {
      return;
    }
    Need need;
    need.kind = Need::Kind::kPattern;
    need.delimiters = delimiters.items.empty() ? "." : "";
    for (const TermPtr& item : delimiters.items) {
      if (item->kind != TermKind::kString) {
        return;
      }
      need.delimiters += item->text;
    }
    for (std::string& part : SplitEscaped(pattern.text, need.delimiters)) {
      if (part == "*") {
        need.parts.emplace_back(std::nullopt);
        continue;
      }
      bool escaped = false;
      for (const char c : part) {
        if (c == '\\') {
          escaped = !escaped;
          continue;
        }
        if (!escaped && std::string_view("[?{*").find(c) != std::string_view::npos) {
          return;
        }
        escaped = false;
      }
      need.parts.emplace_back(std::move(part));
    }
    if (const auto ref = Resolve(matched.text)) {
      need.ref = NumberOf(*ref, matched.location);
      Insert(std::move(need));
    }
  }

  void ReadMember(const Term& a, const Term& b, const Known& known) {
    if (const auto ref = a.IsVar() ? Resolve(a.text) : std::nullopt) {
      return ReadMemberOf(*ref, b, known, a.location);
    }
    const Term* value = &a;
    if (const auto found = a.IsVar() ? known.find(a.text) : known.end(); found != known.end()) {
      value = found->second;
    }
    if (!value->IsVar() && !value->IsScalar()) {
      return;
    }
    const auto ref = AskableRefOf(b);
    if (!ref) {
      return;
    }
    std::optional<Need> need = NeedOf(*value);
    if (is_new() && !value->IsVar()) {
      need->kind = Need::Kind::kMember;
    }
    need->ref = NumberOf(*ref, b.location);
    Insert(*std::move(need));
  }

  void ReadMemberOf(const IndexedRef& ref, const Term& b, const Known& known,
                    const Location& location) {
    const Term* collection = &b;
    if (const auto found = b.IsVar() ? known.find(b.text) : known.end(); found != known.end()) {
      collection = found->second;
    }
    std::vector<const Term*> members;
    const bool is_object = collection->kind == TermKind::kObject;
    if (!is_object && collection->kind != TermKind::kArray && collection->kind != TermKind::kSet) {
      return;
    }
    for (std::size_t i = is_object ? 1 : 0; i < collection->items.size(); i += is_object ? 2 : 1) {
      members.push_back(collection->items[i].get());
    }
    if (is_new() &&
        std::ranges::any_of(members, [](const Term* member) { return member->IsVar(); })) {
      return;
    }
    const std::size_t number = NumberOf(ref, location);
    for (const Term* member : members) {
      std::optional<Need> need = NeedOf(*member);
      if (!need) {
        need.emplace();
        need->kind = Need::Kind::kComposite;
        need->value = IsConstant(*member) ? constants_.ValueOf(*member) : Value::Null();
      }
      need->ref = number;
      Insert(*std::move(need));
    }
    // Counted by member, not by reference.
    if (is_new() && !members.empty()) {
      questions_.levels[number].count += static_cast<int>(members.size()) - 1;
    }
  }

  [[nodiscard]] std::optional<IndexedRef> AskableRefOf(const Term& term) const {
    std::optional<IndexedRef> ref;
    if (term.kind == TermKind::kRef) {
      if (term.items[0]->text == "input" || term.items[0]->text == "data") {
        ref = RefOf(term, term.items.size());
      }
    } else if (term.IsVar()) {
      ref = Resolve(term.text);
      // Arguments are no documents.
      if (ref && ref->root == IndexedRef::Root::kArgument) {
        return std::nullopt;
      }
    }
    return ref && IsAskable(*ref) ? ref : std::nullopt;
  }

  void ReadAffix(const Term& a, const Term& b, const Known& known, Affix affix) {
    const auto ref = AskableRefOf(a);
    const Term* base = &b;
    if (const auto found = b.IsVar() ? known.find(b.text) : known.end(); found != known.end()) {
      base = found->second;
    }
    if (ref && base->kind == TermKind::kString) {
      InsertAffix(NumberOf(*ref, a.location), *base, affix);
    }
  }

  void ReadAnyAffix(const Term& a, const Term& b, const Known& known, Affix affix) {
    const auto ref = AskableRefOf(a);
    const Term* base = &b;
    if (const auto found = b.IsVar() ? known.find(b.text) : known.end(); found != known.end()) {
      base = found->second;
    }
    if (!ref) {
      return;
    }
    if (base->kind == TermKind::kString) {
      return InsertAffix(NumberOf(*ref, a.location), *base, affix);
    }
    const bool collects = base->kind == TermKind::kArray || base->kind == TermKind::kSet;
    if (!collects || std::ranges::any_of(base->items, [](const TermPtr& item) {
          return item->kind != TermKind::kString;
        })) {
      return;
    }
    if (base->items.empty()) {
      return;
    }
    const std::size_t number = NumberOf(*ref, a.location);
    for (const TermPtr& item : base->items) {
      InsertAffix(number, *item, affix);
    }
    questions_.levels[number].count += static_cast<int>(base->items.size()) - 1;
  }

  void InsertAffix(std::size_t number, const Term& base, Affix affix) {
    Need need;
    need.ref = number;
    need.kind = Need::Kind::kScalar;
    need.affix = affix;
    need.value = constants_.ValueOf(base);
    Insert(std::move(need));
  }

  // `data.groups.members[input.subject]`: the last part must be a key of the collection.
  bool ReadCollectionKey(const Term& ref) {
    if (ref.items.size() < 2 || ref.items[0]->text != "data") {
      return false;
    }
    const auto collection = RefOf(ref, ref.items.size() - 1);
    if (!collection || definitions_.IsVirtual(collection->path)) {
      return false;
    }
    const Term& last = *ref.items.back();
    std::optional<IndexedRef> key;
    if (last.kind == TermKind::kRef) {
      key = RefOf(last, last.items.size());
    } else if (last.IsVar()) {
      key = Resolve(last.text);
    }
    if (!key || !IsAskable(*key)) {
      return false;
    }
    needs_.memberships.push_back({*key, *collection});
    ++questions_.levels[NumberOf(*key, last.location)].count;
    return true;
  }

  Questions& questions_;
  const Definitions& definitions_;
  Constants& constants_;
  const Rule& rule_;
  Needs& needs_;
  const Path outer_;
};

}  // namespace

std::vector<Path> PathsOf(const Needs& needs) {
  return CombineWays(needs.always, needs.choices);
}

Needs NeedsOf(const Rule& rule, Questions& questions, const Definitions& definitions,
              Constants& constants) {
  Needs needs;
  Reader::Known known;
  Reader(questions, definitions, constants, rule, needs).Read(rule.body, known);
  return needs;
}

}  // namespace portcullis::rego::trace
