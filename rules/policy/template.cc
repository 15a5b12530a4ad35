#include "rules/policy/template.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "document/json.h"
#include "rules/policy/declared_index.h"
#include "rules/policy/kubernetes_text.h"
#include "rules/policy/template_modules.h"
#include "rules/rego/compile.h"

namespace portcullis::policy {
namespace {

using document::Value;

constexpr std::string_view kTarget = "admission.k8s.gatekeeper.sh";
constexpr std::string_view kEngine = "Rego";

std::unexpected<Error> Invalid(const std::string& what) {
  return Fail(ErrorCode::kInvalidArgument, "invalid ConstraintTemplate: " + what);
}

// What a template says about the constraints of its kind.
struct Metadata {
  std::string name;
  std::string kind;
  std::vector<std::string> operations;
  Value parameters;  // Its openAPIV3Schema; undefined: none.
  bool legacy_schema = false;
  std::unique_ptr<const Schema> schema;
};

Value TargetOf(const Value& object) {
  const Value targets = object.Get({"spec", "targets"});
  return targets.is_array() && targets.size() == 1 ? targets.ItemAt(0) : Value();
}

// The names of the CRD that the kind gives.
Result<void> CheckResourceNames(std::string_view kind) {
  const std::string lower = LowerCase(kind);
  std::vector<std::string> errors;
  const auto add = [&errors](std::string_view path, const std::string& name,
                             const std::vector<std::string>& problems, std::string_view before) {
    for (const std::string& problem : problems) {
      errors.push_back(FieldInvalid(path, Value::String(name), std::string(before) + problem));
    }
  };
  constexpr std::string_view kMixed = "may have mixed case, but should otherwise match: ";
  const std::string crd = lower + ".constraints.gatekeeper.sh";
  add("metadata.name", crd, CheckSubdomainName(crd), "");
  add("spec.names.plural", lower, CheckLabelName(lower), "");
  add("spec.names.singular", lower, CheckLabelName(lower), "");
  add("spec.names.kind", std::string(kind), CheckLabelName(lower), kMixed);
  add("spec.names.listKind", std::string(kind) + "List", CheckLabelName(lower + "list"), kMixed);
  if (errors.empty()) {
    return {};
  }
  return Invalid(Aggregate(errors));
}

Result<void> CheckNames(std::string_view name, std::string_view kind) {
  if (kind.empty()) {
    return Invalid("ConstraintTemplate " + Quote(name) + " does not specify CRD Kind");
  }
  if (LowerCase(name) != LowerCase(kind)) {
    return Invalid("the ConstraintTemplate's name " + Quote(name) +
                   " is not equal to the lowercase of CRD's Kind: " + Quote(LowerCase(kind)));
  }
  return CheckResourceNames(kind);
}

Result<void> CheckTarget(const Value& object) {
  const Value target = TargetOf(object);
  if (target.is_undefined()) {
    return Invalid("must declare exactly one target");
  }
  const std::string_view name = target.GetString({"target"});
  if (name.empty()) {
    return Invalid("target name must not be empty");
  }
  if (name != kTarget) {
    return Invalid("target " + Quote(name) + " not recognized, known targets [" +
                   std::string(kTarget) + "]");
  }
  return {};
}

// legacySchema is on unless it is turned off, except in v1.
bool HasLegacySchema(const Value& object, const Value& validation) {
  const Value given = validation.Find("legacySchema");
  if (given.is_boolean()) {
    return given.is_true();
  }
  return object.GetString({"apiVersion"}) != "templates.gatekeeper.sh/v1";
}

Result<Metadata> ReadMetadata(const Value& object) {
  Metadata metadata;
  metadata.name = std::string(object.GetString({"metadata", "name"}));
  metadata.kind = std::string(object.GetString({"spec", "crd", "spec", "names", "kind"}));
  TRY(CheckNames(metadata.name, metadata.kind));
  TRY(CheckTarget(object));
  const Value validation = object.Get({"spec", "crd", "spec", "validation"});
  metadata.legacy_schema = HasLegacySchema(object, validation);
  const Value parameters = validation.Find("openAPIV3Schema");
  if (!parameters.is_null()) {
    metadata.parameters = parameters;
  }
  auto schema = Schema::ForConstraints(metadata.parameters, metadata.legacy_schema);
  if (!schema) {
    return Invalid(schema.error().message);
  }
  metadata.schema = *std::move(schema);
  const Value operations = TargetOf(object).Find("operations");
  for (std::uint32_t i = 0; operations.is_array() && i < operations.size(); ++i) {
    if (operations.ItemAt(i).is_string()) {
      metadata.operations.emplace_back(operations.ItemAt(i).string());
    }
  }
  return metadata;
}

// The source of a template is decoded without regard to whole numbers.
std::string_view SourceTypeName(const Value& value) {
  return value.is_number() ? "float64" : GoTypeName(value);
}

Result<std::vector<std::string>> ReadLibraries(const Value& libs) {
  std::vector<std::string> libraries;
  if (libs.is_undefined() || libs.is_null()) {
    return libraries;
  }
  if (!libs.is_array()) {
    return Fail(ErrorCode::kInvalidArgument,
                ".libs accessor error: " + GoText(libs) + " is of the type " +
                    std::string(SourceTypeName(libs)) +
                    ", expected []interface{}: while extracting Rego libs");
  }
  for (std::uint32_t i = 0; i < libs.size(); ++i) {
    if (!libs.ItemAt(i).is_string()) {
      return Fail(
          ErrorCode::kInvalidArgument,
          ".libs accessor error: contains non-string key in the slice: " + GoText(libs.ItemAt(i)) +
              " is of the type " + std::string(SourceTypeName(libs.ItemAt(i))) +
              ", expected string: while extracting Rego libs");
    }
    libraries.emplace_back(libs.ItemAt(i).string());
  }
  return libraries;
}

// The Rego of a target: its `rego` field, which wins, or the Rego entry of `code`.
Result<TemplateSource> ReadSource(const Value& target) {
  TemplateSource source;
  if (const std::string_view rego = target.GetString({"rego"}); !rego.empty()) {
    source.rego = std::string(rego);
    source.libraries = TRY(ReadLibraries(target.Find("libs")));
    return source;
  }
  const Value code = target.Find("code");
  Value found;
  for (std::uint32_t i = 0; code.is_array() && i < code.size() && found.is_undefined(); ++i) {
    if (code.ItemAt(i).GetString({"engine"}) == kEngine) {
      found = code.ItemAt(i);
    }
  }
  if (found.is_undefined()) {
    return Fail(
        ErrorCode::kInvalidArgument,
        "no language driver is installed that handles this constraint template: available drivers: "
        "map[Rego:1], wanted \"\"");
  }
  const Value fields = found.Find("source");
  if (!fields.is_object()) {
    return Fail(ErrorCode::kInvalidArgument, "could not recognize the type");
  }
  const Value rego = fields.Find("rego");
  if (rego.is_undefined()) {
    return Fail(ErrorCode::kInvalidArgument, "rego source missing required field: rego");
  }
  if (!rego.is_string()) {
    return Fail(ErrorCode::kInvalidArgument, ".rego accessor error: " + GoText(rego) +
                                                 " is of the type " +
                                                 std::string(SourceTypeName(rego)) +
                                                 ", expected string: while extracting Rego source");
  }
  source.rego = std::string(rego.string());
  source.version = fields.GetString({"version"}) == "v1" ? rego::Version::kV1 : rego::Version::kV0;
  source.libraries = TRY(ReadLibraries(fields.Find("libs")));
  return source;
}

}  // namespace

Result<void> CheckTemplateMetadata(const Value& object) {
  TRY(ReadMetadata(object));
  TRY(ReadDeclaredIndexes(object));
  return {};
}

Result<void> CheckTemplateOperations(const Value& object) {
  const Value operations = TargetOf(object).Find("operations");
  for (std::uint32_t i = 0; operations.is_array() && i < operations.size(); ++i) {
    const Value operation = operations.ItemAt(i);
    if (operation.is_string() && operation.string() == "*" && operations.size() > 1) {
      return Fail(ErrorCode::kInvalidArgument,
                  "if '*' is present, must not specify other operations");
    }
  }
  return {};
}

Result<std::shared_ptr<const Template>> ParseTemplate(
    const Value& object, const std::shared_ptr<const builtins::Catalog>& catalog,
    const TemplateOptions& options) {
  TRY(CheckTarget(object));
  Metadata metadata = TRY(ReadMetadata(object));
  TemplateSource source = TRY(ReadSource(TargetOf(object)));
  source.may_read_inventory = options.may_read_inventory;
  auto compiled = rego::Compile(TRY(PrepareModules(source)),
                                {.catalog = catalog.get(), .keep_prints = options.keep_prints});
  if (!compiled) {
    return Fail(ErrorCode::kInvalidArgument,
                "unable to compile modules: " + rego::ToString(compiled.error()));
  }
  auto result = std::make_shared<Template>();
  result->name = std::move(metadata.name);
  result->kind = std::move(metadata.kind);
  result->operations = std::move(metadata.operations);
  if (metadata.parameters.is_defined()) {
    result->parameters_schema = document::ToJson(metadata.parameters);
  }
  result->schema = std::move(metadata.schema);
  result->legacy_schema = metadata.legacy_schema;
  result->catalog = catalog;
  const std::vector<IndexRequestText> declared = TRY(ReadDeclaredIndexes(object));
  result->declared_indexes = TRY(MakeDeclaredIndexes(declared, source, catalog));
  rego::PlanOptions plan_options;
  for (const DeclaredIndex& each : result->declared_indexes) {
    plan_options.declared.push_back(each.definition);
  }
  result->source = document::ToJson(object.Get({"spec", "targets"}));
  const std::array<std::string, 2> entry = {"template", "violation"};
  result->policy = *std::move(compiled);
  result->plan = TRY(rego::MakePlan(result->policy, entry, std::move(plan_options)));
  for (DeclaredIndex& each : result->declared_indexes) {
    each.used = std::ranges::find(result->plan->wanted_indexes(), each.definition) !=
                result->plan->wanted_indexes().end();
  }
  return result;
}

}  // namespace portcullis::policy
