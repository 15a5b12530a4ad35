#include <algorithm>
#include <array>
#include <utility>

#include "rules/builtins/builtin.h"
#include "rules/builtins/families.h"

namespace portcullis::builtins {

std::unique_ptr<const Catalog> Catalog::Create(std::span<const std::string> disabled,
                                               std::vector<Builtin> more) {
  auto catalog = std::make_unique<Catalog>();
  catalog->more_ = std::move(more);
  const std::array families = {
      AggregateBuiltins(),  ArithmeticBuiltins(), ArrayBuiltins(),
      AwsBuiltins(),        CastBuiltins(),       ComparisonBuiltins(),
      DigestBuiltins(),     EncodingBuiltins(),   GlobBuiltins(),
      GraphBuiltins(),      GraphqlBuiltins(),    HttpBuiltins(),
      JsonBuiltins(),       JsonPatchBuiltins(),  JsonPathBuiltins(),
      JsonSchemaBuiltins(), JwtBuiltins(),        LanguageBuiltins(),
      NetBuiltins(),        NumberBuiltins(),     ObjectBuiltins(),
      RandomBuiltins(),     RegexBuiltins(),      SemverBuiltins(),
      SetBuiltins(),        StringBuiltins(),     TemplateBuiltins(),
      TimeBuiltins(),       TrimBuiltins(),       TypeBuiltins(),
      UnitsBuiltins(),      UriBuiltins(),        WalkBuiltins(),
      X509Builtins(),       YamlBuiltins(),       std::span<const Builtin>(catalog->more_)};
  for (const std::span<const Builtin> family : families) {
    for (const Builtin& builtin : family) {
      if (std::ranges::find(disabled, builtin.name) == disabled.end()) {
        catalog->all_.push_back(&builtin);
      }
    }
  }
  std::ranges::sort(catalog->all_, {}, &Builtin::name);
  for (const Builtin* builtin : catalog->all_) {
    catalog->by_name_.emplace(builtin->name, builtin);
  }
  return catalog;
}

const Builtin* Catalog::Find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

}  // namespace portcullis::builtins
