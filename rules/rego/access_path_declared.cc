// Indexes that somebody declared: where they serve, they come first.

#include <algorithm>
#include <string_view>
#include <utility>

#include "rules/rego/join_finder.h"

namespace portcullis::rego {
namespace {

// A program without what people call it.
std::string_view CodeOf(const index::Definition& definition) {
  const std::string_view program = definition.program;
  return program.substr(std::min(program.find('\n'), program.size()));
}

}  // namespace

bool JoinFinder::AddDeclaredTest(const Expr& call, const Origin& arguments, Choices* choices) {
  const bool wanted =
      options_.all_tests ||
      std::ranges::any_of(options_.declared, [this](const auto& each) { return MayServe(each); });
  if (arguments.kind != Origin::Kind::kObject || !wanted) {
    return false;
  }
  Origin origin = arguments;
  origin.path.reset();
  Choices found;
  AddTest(call, origin, &found);
  if (found.empty() || !(options_.all_tests || IsDeclared(found.front()))) {
    return false;
  }
  const index::Definition& made = found.front().front().definition;
  const bool is_known = std::ranges::any_of(*choices, [&](const std::vector<Probe>& choice) {
    return choice.size() == 1 && choice.front().definition == made;
  });
  if (!is_known) {
    choices->push_back(std::move(found.front()));
  }
  return true;
}

bool JoinFinder::MayServe(const index::Definition& declared) const {
  const index::Definition own = DefinitionOf({});
  return declared.scope == own.scope && declared.kind == own.kind && !declared.program.empty();
}

void JoinFinder::UseDeclared(index::Definition* made) const {
  const auto declared = std::ranges::find_if(options_.declared, [&](const index::Definition& each) {
    return MayServe(each) && CodeOf(each) == CodeOf(*made);
  });
  if (declared != options_.declared.end()) {
    *made = *declared;
  }
}

bool JoinFinder::IsDeclared(const std::vector<Probe>& choice) const {
  return std::ranges::all_of(choice, [this](const Probe& probe) {
    return std::ranges::find(options_.declared, probe.definition) != options_.declared.end();
  });
}

}  // namespace portcullis::rego
