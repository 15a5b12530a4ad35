#include "rules/policy/declared_index.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "document/arena.h"
#include "document/yaml.h"
#include "rules/rego/compile.h"
#include "rules/rego/engine.h"
#include "rules/rego/text.h"

namespace portcullis::policy {
namespace {

using document::Value;

// No rule of a template's can have this name and be of use: it is planned for itself.
constexpr std::string_view kRule = "portcullis_declared_index";

std::unexpected<Error> Invalid(std::size_t entry, const std::string& what) {
  return Fail(ErrorCode::kInvalidArgument, "invalid ConstraintTemplate: annotation " +
                                               std::string(kIndexesAnnotation) + ", entry " +
                                               std::to_string(entry + 1) + ": " + what);
}

Result<IndexRequestText> ReadEntry(const Value& entry, std::size_t at) {
  if (!entry.is_object()) {
    return Invalid(at, "it is not a mapping with kind and path or expression");
  }
  IndexRequestText read;
  for (std::uint32_t i = 0; i < entry.size(); ++i) {
    const Value key = entry.KeyAt(i);
    const Value value = entry.ValueAt(i);
    if (!value.is_string() || value.string().empty()) {
      return Invalid(at, std::string(key.string()) + " is not a text");
    }
    const std::string text(value.string());
    if (key.string() == "kind") {
      read.kind = text;
    } else if (key.string() == "path") {
      read.path = text;
    } else if (key.string() == "expression") {
      read.expression = text;
    } else if (key.string() == "scope" && (text == "Namespaced" || text == "Cluster")) {
      read.scope = text == "Cluster" ? store::Scope::kCluster : store::Scope::kNamespaced;
    } else if (key.string() == "scope") {
      return Invalid(at, "scope is Namespaced or Cluster, not " + text);
    } else {
      return Invalid(at, "unknown field " + rego::Quote(key.string()) +
                             ": there are kind, scope, path and expression");
    }
  }
  if (read.kind.empty() || read.path.empty() == read.expression.empty()) {
    return Invalid(at, "it needs kind, and one of path and expression");
  }
  if (read.expression.find('\n') != std::string::npos) {
    return Invalid(at, "the expression is one line");
  }
  return read;
}

std::string Prefix(const IndexRequestText& entry) {
  return (entry.scope == store::Scope::kCluster ? "cluster/*/" : "namespace/*/*/") + entry.kind +
         ": ";
}

Result<index::Definition> OfPath(const IndexRequestText& entry, std::size_t at) {
  Result<index::Definition> definition = index::Definition::Parse(Prefix(entry) + entry.path);
  if (!definition) {
    return Invalid(at, definition.error().message);
  }
  if (!definition->program.empty() || definition->path.empty()) {
    return Invalid(at, rego::Quote(entry.path) + " is no path into the object");
  }
  return definition;
}

// The index of the one condition of a rule that scans the kind.
Result<index::Definition> OfExpression(const IndexRequestText& entry, std::size_t at,
                                       const TemplateSource& source,
                                       const std::shared_ptr<const builtins::Catalog>& catalog) {
  TemplateSource probe = source;
  const bool cluster = entry.scope == store::Scope::kCluster;
  probe.rego += "\n" + std::string(kRule) +
                (source.version == rego::Version::kV0 ? " {" : " if {") +
                "\n  object := data.inventory." + (cluster ? "cluster[_]" : "namespace[_][_]") +
                "[" + rego::Quote(entry.kind) + "][_]\n  " + entry.expression + "\n}\n";
  auto compiled = rego::Compile(TRY(PrepareModules(probe)), {.catalog = catalog.get()});
  if (!compiled) {
    return Invalid(at, "the expression does not compile: " + rego::ToString(compiled.error()));
  }
  const std::array<std::string, 2> path = {"template", std::string(kRule)};
  const auto plan =
      TRY(rego::MakePlan(*std::move(compiled), path, {.declared = {}, .all_tests = true}));
  if (plan->wanted_indexes().size() != 1 || plan->wanted_indexes().front().program.empty()) {
    return Invalid(at, "no index can be made of " + rego::Quote(entry.expression) +
                           ": it must be one call or comparison that `object` alone decides");
  }
  index::Definition definition = plan->wanted_indexes().front();
  const std::size_t code = definition.program.find('\n');
  definition.program = "# " + entry.expression + definition.program.substr(code);
  return definition;
}

}  // namespace

Result<std::vector<IndexRequestText>> ReadDeclaredIndexes(const Value& object) {
  std::vector<IndexRequestText> entries;
  const Value annotation = object.Get({"metadata", "annotations"}).Find(kIndexesAnnotation);
  if (!annotation.is_string()) {
    return entries;
  }
  const auto invalid = [](const std::string& what) {
    return Fail(ErrorCode::kInvalidArgument, "invalid ConstraintTemplate: annotation " +
                                                 std::string(kIndexesAnnotation) + ": " + what);
  };
  document::Arena arena;
  const auto documents = document::ParseYaml(annotation.string(), arena);
  if (!documents) {
    return invalid(documents.error().message);
  }
  if (documents->size() != 1 || !documents->front().value.is_array()) {
    return invalid("it is not a list of indexes");
  }
  const Value list = documents->front().value;
  if (list.size() > kMostDeclaredIndexes) {
    return invalid("more than " + std::to_string(kMostDeclaredIndexes) + " indexes");
  }
  for (std::uint32_t i = 0; i < list.size(); ++i) {
    entries.push_back(TRY(ReadEntry(list.ItemAt(i), i)));
    if (!entries.back().path.empty()) {
      TRY(OfPath(entries.back(), i));
    }
  }
  return entries;
}

Result<std::vector<DeclaredIndex>> MakeDeclaredIndexes(
    const std::vector<IndexRequestText>& entries, const TemplateSource& source,
    const std::shared_ptr<const builtins::Catalog>& catalog) {
  std::vector<DeclaredIndex> indexes;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const IndexRequestText& entry = entries[i];
    const bool is_path = !entry.path.empty();
    index::Definition definition =
        TRY(is_path ? OfPath(entry, i) : OfExpression(entry, i, source, catalog));
    indexes.push_back(
        {.definition = std::move(definition), .text = is_path ? entry.path : entry.expression});
  }
  return indexes;
}

}  // namespace portcullis::policy
