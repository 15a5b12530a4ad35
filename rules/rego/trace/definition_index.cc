// OPA's rule index: which of the definitions in one place can match.

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <string_view>
#include <tuple>

#include "rules/rego/compilation.h"
#include "rules/rego/trace/definition_needs.h"
#include "rules/rego/visit.h"

namespace portcullis::rego::trace {
namespace {

struct Entry {
  const Definition* definition = nullptr;
  std::size_t group = 0;
  Needs needs;
  std::vector<Path> paths;
  std::vector<std::size_t> required;  // Numbers of references that must be there.
};

// Of needs at both ends of a string those at one end.
void KeepOneEnd(std::vector<const Need*>& needs) {
  std::size_t shortest[2] = {std::string::npos, std::string::npos};
  for (const Need* need : needs) {
    if (need->affix != Affix::kNone) {
      std::size_t& least = shortest[need->affix == Affix::kSuffix ? 1 : 0];
      least = std::min(least, need->value.string().size());
    }
  }
  if (shortest[0] == std::string::npos || shortest[1] == std::string::npos) {
    return;
  }
  const Affix dropped = shortest[1] > shortest[0] ? Affix::kSuffix : Affix::kPrefix;
  std::erase_if(needs, [dropped](const Need* need) { return need->affix == dropped; });
}

bool SkipsIndexing(const Body& body) {
  bool found = false;
  ConstVisitor visitor;
  visitor.expr = [&found](const Expr& expr) {
    found = found || (expr.kind == ExprKind::kCall && ToString(*expr.terms[0]) == "internal.print");
    return !found;
  };
  // Comprehensions may print: their own bodies are no part of this one.
  visitor.term = [](const Term&) { return false; };
  Walk(body, visitor);
  return found;
}

// True if the definitions are complete and give one constant; `value` is what others gave, and what these give.
bool Agree(const std::vector<const Definition*>& definitions, Constants& constants, Value* value) {
  for (const Definition* definition : definitions) {
    if (!definition->is_complete) {
      return false;
    }
    const Term& head = *definition->rule->value;
    const Operand given = constants.Of(head);
    if (!given.is_value() || (value->is_defined() && !document::Equal(*value, given.value))) {
      return false;
    }
    *value = given.value;
  }
  return true;
}

class Index final : public DefinitionIndex {
 public:
  Index(const std::vector<const Rule*>& rules, const Definitions& definitions, Constants& constants,
        Release release)
      : constants_(constants) {
    questions_.release = release;
    is_multi_value_ = definitions.Of(*rules.front()).is_multi_value;
    for (std::size_t group = 0; group < rules.size(); ++group) {
      for (const Rule* rule = rules[group]; rule != nullptr; rule = rule->else_rule.get()) {
        Add(definitions, *rule, group);
      }
    }
    Order();
    std::vector<const Definition*> all;
    for (Entry& entry : entries_) {
      all.push_back(entry.definition);
      entry.paths = PathsOf(entry.needs);
      Require(entry);
    }
    Value value;
    may_exit_ = Agree(all, constants_, &value);
  }

  [[nodiscard]] Candidates Find(const Resolver& resolver) const override {
    std::map<std::size_t, std::optional<Value>> known;
    const auto at = [&](std::size_t number) {
      const auto found = known.find(number);
      return found != known.end()
                 ? found->second
                 : known.emplace(number, resolver(questions_.refs[number])).first->second;
    };
    Candidates result{.chains = {},
                      .by_default = by_default_,
                      .is_multi_value = is_multi_value_,
                      .only_ground = only_ground_,
                      .early_exit = false};
    std::vector<const Definition*> first;
    std::vector<const Definition*> otherwise;
    std::vector<std::string> turns;  // Of each chain.
    const Entry* last = nullptr;
    for (const Entry& entry : entries_) {
      std::string way;
      if (!IsCandidate(entry, at, resolver, &way)) {
        continue;
      }
      if (last != nullptr && last->group == entry.group) {
        result.chains.back().otherwise.push_back(entry.definition);
        otherwise.push_back(entry.definition);
        turns.back() = std::min(turns.back(), way);
        continue;
      }
      last = &entry;
      result.chains.push_back({entry.definition, {}});
      first.push_back(entry.definition);
      turns.push_back(std::move(way));
    }
    if (questions_.release == Release::k1_17) {
      SortByTurns(turns, &result.chains);
    }
    Value value;
    result.early_exit = Agree(first, constants_, &value) && Agree(otherwise, constants_, &value);
    return result;
  }

 private:
  void Add(const Definitions& definitions, const Rule& rule, std::size_t group) {
    if (rule.is_default) {
      by_default_ = &definitions.Of(rule);
      return;
    }
    only_ground_ = only_ground_ && IsGround(*rule.reference);
    Entry& entry = entries_.emplace_back();
    entry.definition = &definitions.Of(rule);
    entry.group = group;
    if (!SkipsIndexing(rule.body)) {
      entry.needs = NeedsOf(rule, questions_, definitions, constants_);
    }
  }

  // The references by which definitions are told apart, in the order in which they are asked.
  void Order() {
    const auto note = [this](const Path& path) {
      for (const Need& need : path) {
        questions_.levels[need.ref].valued = questions_.levels[need.ref].valued || !need.is_var();
      }
    };
    for (const Entry& entry : entries_) {
      note(entry.needs.always);
      for (const auto& choices : entry.needs.choices) {
        std::ranges::for_each(choices, note);
      }
    }
    for (std::size_t i = 0; i < questions_.refs.size(); ++i) {
      const Level& level = questions_.levels[i];
      if (level.count > 0 && (level.valued || questions_.release == Release::k1_17)) {
        ordered_.push_back(i);
      }
    }
    const auto key = [this](std::size_t number) {
      const Level& level = questions_.levels[number];
      const std::string_view file =
          level.location.file ? std::string_view(*level.location.file) : std::string_view();
      const int alternated = questions_.release == Release::k1_17 ? 0 : level.alternated;
      return std::tuple(alternated, -level.count, file, level.location.row, level.location.column,
                        number);
    };
    std::ranges::sort(ordered_, {}, key);
  }

  // What every way to the definition reads, where no definition needs a value of it.
  void Require(Entry& entry) const {
    if (questions_.release == Release::k1_17) {
      return;
    }
    for (std::size_t i = 0; i < questions_.refs.size(); ++i) {
      const auto reads = [i](const Path& path) {
        return std::ranges::any_of(path, [i](const Need& need) { return need.ref == i; });
      };
      if (questions_.levels[i].count > 0 && !questions_.levels[i].valued &&
          std::ranges::all_of(entry.paths, reads)) {
        entry.required.push_back(i);
      }
    }
  }

  static bool IsVar(const Need* need) { return need->is_var(); }
  static bool IsThere(const std::optional<Value>& value) { return !value || value->is_defined(); }

  // OPA 1.17 tries definitions in the order in which its trie is walked, not in that of the text.
  static void SortByTurns(const std::vector<std::string>& turns,
                          std::vector<Candidates::Chain>* chains) {
    std::vector<std::size_t> order(chains->size());
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::stable_sort(order, {}, [&turns](std::size_t i) { return turns[i]; });
    std::vector<Candidates::Chain> sorted;
    for (const std::size_t i : order) {
      sorted.push_back(std::move((*chains)[i]));
    }
    *chains = std::move(sorted);
  }

  // `turns`: the way through OPA 1.17's trie.
  template <class At>
  bool IsCandidate(const Entry& entry, const At& at, const Resolver& resolver,
                   std::string* turns) const {
    if (std::ranges::none_of(entry.paths,
                             [&](const Path& path) { return Reaches(path, at, turns); }) ||
        !std::ranges::all_of(entry.required,
                             [&](std::size_t number) { return IsThere(at(number)); })) {
      return false;
    }
    // Where the first that holds ends the search, asking costs as much as trying.
    return may_exit_ ||
           std::ranges::all_of(entry.needs.memberships, [&](const Membership& membership) {
             const std::optional<Value> key = resolver(membership.key);
             const std::optional<Value> collection = resolver(membership.collection);
             if (!IsThere(key) || !IsThere(collection)) {
               return false;
             }
             return !key || !collection || (!collection->is_object() && !collection->is_set()) ||
                    collection->Find(*key).is_defined();
           });
  }

  template <class At>
  bool Reaches(const Path& path, const At& at, std::string* turns) const {
    std::size_t remaining = path.size();
    const bool all_levels = questions_.release == Release::k1_17 && !path.empty();
    for (const std::size_t level : ordered_) {
      if (remaining == 0 && !all_levels) {
        break;
      }
      std::vector<const Need*> needs;
      for (const Need& need : path) {
        if (need.ref == level) {
          needs.push_back(&need);
        }
      }
      remaining -= needs.size();
      *turns += needs.empty() ? '0' : std::ranges::any_of(needs, IsVar) ? '1' : '2';
      if (needs.empty()) {
        continue;
      }
      const std::optional<Value> value = at(level);
      if (!value) {
        continue;
      }
      if (value->is_undefined()) {
        return false;
      }
      const auto matches = [&](const Need* need) {
        return Matches(*need, *value, questions_.release);
      };
      if (needs.size() > 1 && questions_.release == Release::k1_22 &&
          !std::ranges::all_of(needs, IsVar)) {
        std::erase_if(needs, IsVar);
      }
      if (needs.size() > 1 && std::ranges::any_of(needs, IsVar)) {
        continue;
      }
      const bool ends = needs.size() > 1 && EndsPath(needs, remaining);
      if (ends && questions_.release == Release::k1_22) {
        KeepOneEnd(needs);
      }
      if (std::ranges::none_of(needs, matches)) {
        return false;
      }
      if (ends) {
        return true;
      }
    }
    return true;
  }

  // True if what the definition needs after several values of one reference is not asked.
  [[nodiscard]] bool EndsPath(const std::vector<const Need*>& needs, std::size_t remaining) const {
    return questions_.release == Release::k1_17 || remaining == 0 ||
           std::ranges::any_of(needs, [](const Need* need) {
             return need->affix != Affix::kNone || need->kind == Need::Kind::kArray ||
                    need->kind == Need::Kind::kPattern || need->kind == Need::Kind::kComposite;
           });
  }

  Constants& constants_;
  Questions questions_;
  std::vector<std::size_t> ordered_;  // Numbers of references.
  std::vector<Entry> entries_;
  const Definition* by_default_ = nullptr;
  bool is_multi_value_ = false;
  bool only_ground_ = true;
  bool may_exit_ = false;
};

}  // namespace

std::unique_ptr<const DefinitionIndex> MakeDefinitionIndex(const std::vector<const Rule*>& rules,
                                                           const Definitions& definitions,
                                                           Constants& constants, Release release) {
  return std::make_unique<const Index>(rules, definitions, constants, release);
}

}  // namespace portcullis::rego::trace
