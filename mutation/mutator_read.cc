// How a mutator's manifest becomes a Mutator, and what it is refused for.

#include <algorithm>
#include <utility>

#include "document/json.h"
#include "mutation/go_value.h"
#include "mutation/mutator.h"
#include "rules/policy/kubernetes_text.h"

namespace portcullis::mutation {

using document::Value;
using policy::Quote;

namespace {

constexpr std::size_t kMaxNameBytes = 63;

std::unexpected<Error> Invalid(std::string text) {
  return Fail(ErrorCode::kInvalidArgument, std::move(text));
}

bool IsAbsent(const Value& value) {
  return value.is_undefined() || value.is_null();
}

std::string_view JsonTypeOf(const Value& value) {
  switch (value.type()) {
    case document::Type::kBoolean:
      return "bool";
    case document::Type::kNumber:
      return "number";
    case document::Type::kString:
      return "string";
    case document::Type::kArray:
      return "array";
    default:
      return "object";
  }
}

// What Go's decoder says of a field that has another type.
std::unexpected<Error> WrongType(const Value& value, std::string_view field,
                                 std::string_view type) {
  return Invalid("json: cannot unmarshal " + std::string(JsonTypeOf(value)) +
                 " into Go struct field " + std::string(field) + " of type " + std::string(type));
}

Result<std::string> Text(const Value& parent, std::string_view name, std::string_view owner,
                         std::string_view path) {
  const Value value = parent.Find(name);
  if (IsAbsent(value)) {
    return std::string();
  }
  if (!value.is_string()) {
    return WrongType(value, std::string(owner) + "." + std::string(path) + std::string(name),
                     "string");
  }
  return std::string(value.string());
}

Result<std::vector<std::string>> Texts(const Value& parent, std::string_view name,
                                       std::string_view owner, std::string_view path) {
  std::vector<std::string> texts;
  const Value list = parent.Find(name);
  const std::string field = std::string(owner) + "." + std::string(path) + std::string(name);
  if (IsAbsent(list)) {
    return texts;
  }
  if (!list.is_array()) {
    return WrongType(list, field, "[]string");
  }
  for (std::uint32_t i = 0; i < list.size(); ++i) {
    if (!list.ItemAt(i).is_string()) {
      return WrongType(list.ItemAt(i), field, "string");
    }
    texts.emplace_back(list.ItemAt(i).string());
  }
  return texts;
}

PathCondition ConditionOf(std::string_view text) {
  return text == "MustExist"      ? PathCondition::kMustExist
         : text == "MustNotExist" ? PathCondition::kMustNotExist
                                  : PathCondition::kNeither;
}

// Changing the member by which an item is found would lose it.
Result<void> CheckKeyNotChanged(const Location& location) {
  const auto& steps = location.steps;
  if (steps.empty()) {
    return Invalid("empty path");
  }
  if (steps.size() < 2 || !steps[steps.size() - 2].is_list()) {
    return {};
  }
  if (steps.back().name == steps[steps.size() - 2].name) {
    return Invalid("invalid path format: changing the item key is not allowed");
  }
  return {};
}

bool EqualsKey(const LocationStep& step, const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&step.key)) {
    return GoEqual(Value::Int(*number), value);
  }
  return value.is_string() && value.string() == std::get<std::string>(step.key);
}

std::string KeyText(const LocationStep& step) {
  const auto* number = std::get_if<std::int64_t>(&step.key);
  return number != nullptr ? std::to_string(*number) : std::get<std::string>(step.key);
}

// A value that becomes an item of a list must be found by the location afterwards.
Result<void> CheckAssignedItem(const Location& location, const Value& value) {
  const LocationStep& last = location.steps.back();
  if (!last.is_list()) {
    return {};
  }
  if (last.glob) {
    return Invalid("can't append to a globbed list");
  }
  if (!value.is_object()) {
    return Invalid("invalid value: `" + GoTextOf(value) +
                   "`, only objects can be added to keyed lists");
  }
  const Value own = value.Find(last.name);
  if (!EqualsKey(last, own)) {
    return Invalid("adding object to list with different key " + last.name + ": list key " +
                   KeyText(last) + ", object key " + GoTextOf(own));
  }
  return {};
}

// Every combination of contradicting tests that Gatekeeper sees. It compares places in the list of tests, and names the paths of
// that many steps: kept as it is.
Result<std::map<std::size_t, PathCondition>> CheckPathTests(const Location& location,
                                                            const std::vector<PathTest>& tests) {
  for (const PathTest& test : tests) {
    if (!test.path.IsPrefixOf(location)) {
      return Invalid(
          "all subpaths must be a prefix of the `location` value of the mutation: subpath " +
          Quote(test.path.ToString()) + " is not a prefix of location " +
          Quote(location.ToString()));
    }
  }
  constexpr std::size_t kNone = SIZE_MAX;
  std::map<std::size_t, PathCondition> by_length;
  std::map<std::size_t, std::string> paths;
  std::size_t lowest_must_not = kNone;
  std::size_t highest_must = 0;
  for (std::size_t i = 0; i < tests.size(); ++i) {
    by_length[tests[i].path.steps.size()] = tests[i].condition;
    paths[tests[i].path.steps.size()] = Quote(tests[i].path.ToString());
    if (tests[i].condition == PathCondition::kMustNotExist && lowest_must_not == kNone) {
      lowest_must_not = i;
    } else if (tests[i].condition == PathCondition::kMustExist) {
      highest_must = std::max(highest_must, i);
    }
  }
  constexpr std::string_view kConflict = "conflicting path test conditions: path ";
  for (const PathTest& test : tests) {
    if (by_length[test.path.steps.size()] != test.condition) {
      return Invalid(std::string(kConflict) + Quote(test.path.ToString()) +
                     " is marked both MustExist and MustNotExist");
    }
  }
  if (lowest_must_not != kNone && highest_must > lowest_must_not) {
    const auto shown = [&](std::size_t i) {
      const auto found = paths.find(i + 1);
      return found == paths.end() ? std::string("<nil>") : found->second;
    };
    return Invalid(std::string(kConflict) + shown(highest_must) +
                   " is marked MustExist but parent " + shown(lowest_must_not) + " MustNotExist");
  }
  return by_length;
}

}  // namespace

class MutatorReader {
 public:
  MutatorReader(const Value& object, FieldDefaults defaults, Mutator& into)
      : object_(object),
        spec_(object.Find("spec")),
        parameters_(spec_.Find("parameters")),
        defaults_(defaults),
        into_(into),
        kind_(NameOf(into.id_.kind)),
        spec_type_(std::string(kind_) + "Spec") {}

  Result<void> Read() {
    TRY(CheckOuterTypes());
    into_.id_.name = std::string(object_.GetString({"metadata", "name"}));
    into_.id_.name_space = std::string(object_.GetString({"metadata", "namespace"}));
    into_.uid_ = std::string(object_.GetString({"metadata", "uid"}));
    const Value generation = object_.Get({"metadata", "generation"});
    if (generation.is_number()) {
      into_.generation_ = document::ToInt64(generation).value_or(0);
    }
    into_.source_ = std::string(NameOf(into_.id_.kind)) + ' ' +
                    std::string(object_.GetString({"metadata", "name"})) + ' ' +
                    document::ToJson(spec_);
    const std::string location = TRY(Text(spec_, "location", spec_type_, "spec."));
    apply_to_ = TRY(ReadApplyTo());
    if (into_.id_.name.size() > kMaxNameBytes) {
      return Invalid("maximum name length is 63 characters");
    }
    into_.match_ = policy::Match::ParseForMutator(spec_.Find("match"));
    switch (into_.id_.kind) {
      case MutatorKind::kAssign:
        return ReadAssign(location);
      case MutatorKind::kAssignMetadata:
        return ReadAssignMetadata(location);
      case MutatorKind::kModifySet:
        return ReadModifySet(location);
      case MutatorKind::kAssignImage:
        return ReadAssignImage(location);
    }
    return {};
  }

 private:
  Result<void> CheckOuterTypes() {
    const std::string_view api_version = object_.GetString({"apiVersion"});
    const std::string version(api_version.substr(api_version.find('/') + 1));
    const bool set = into_.id_.kind == MutatorKind::kModifySet;
    const bool image = into_.id_.kind == MutatorKind::kAssignImage;
    const bool metadata = into_.id_.kind == MutatorKind::kAssignMetadata;
    if (!IsAbsent(spec_) && !spec_.is_object()) {
      return WrongType(spec_, std::string(kind_) + ".spec", version + "." + spec_type_);
    }
    const Value match = spec_.Find("match");
    if (!IsAbsent(match) && !match.is_object()) {
      return WrongType(match, spec_type_ + ".spec.match", "match.Match");
    }
    if (!IsAbsent(parameters_) && !parameters_.is_object()) {
      return WrongType(parameters_, spec_type_ + ".spec.parameters",
                       version + "." +
                           (set        ? "ModifySetParameters"
                            : image    ? "AssignImageParameters"
                            : metadata ? "MetadataParameters"
                                       : "Parameters"));
    }
    return {};
  }

  Result<std::vector<ApplyTo>> ReadApplyTo() {
    std::vector<ApplyTo> entries;
    const Value list = spec_.Find("applyTo");
    if (into_.id_.kind == MutatorKind::kAssignMetadata || IsAbsent(list)) {
      return entries;
    }
    if (!list.is_array()) {
      return WrongType(list, spec_type_ + ".spec.applyTo", "[]match.MutationApplyTo");
    }
    constexpr std::string_view kOwner = "MutationApplyTo";
    constexpr std::string_view kPath = "spec.applyTo.";
    constexpr std::string_view kInner = "spec.applyTo.ApplyTo.";  // Go's struct within it.
    for (std::uint32_t i = 0; i < list.size(); ++i) {
      const Value item = list.ItemAt(i);
      if (!item.is_object() && !item.is_null()) {
        return WrongType(item, spec_type_ + ".spec.applyTo", "match.MutationApplyTo");
      }
      ApplyTo entry;
      entry.groups = TRY(Texts(item, "groups", kOwner, kInner));
      entry.versions = TRY(Texts(item, "versions", kOwner, kInner));
      entry.kinds = TRY(Texts(item, "kinds", kOwner, kInner));
      operations_.push_back(TRY(Texts(item, "operations", kOwner, kPath)));
      entries.push_back(std::move(entry));
    }
    return entries;
  }

  Result<Location> ReadLocation(const std::string& text, std::string_view kind) {
    return AddContext(ParseLocation(text), "invalid location format `" + text + "` for " +
                                               std::string(kind) + " " + into_.id_.name);
  }

  [[nodiscard]] bool ChangesMetadata() const {
    const auto& steps = into_.location_.steps;
    return !steps.empty() && !steps.front().is_list() && steps.front().name == "metadata";
  }

  Result<void> ReadPathTests() {
    std::vector<PathTest> tests;
    const Value list = parameters_.Find("pathTests");
    for (std::uint32_t i = 0; list.is_array() && i < list.size(); ++i) {
      const Value item = list.ItemAt(i);
      const std::string path = TRY(Text(item, "subPath", "PathTest", "spec.parameters.pathTests."));
      Location location =
          TRY(AddContext(ParseLocation(path), "problem parsing sub path `" + path + "` for " +
                                                  std::string(kind_) + " " + into_.id_.name));
      tests.push_back({std::move(location), ConditionOf(item.GetString({"condition"}))});
    }
    into_.path_tests_ = TRY(CheckPathTests(into_.location_, tests));
    return {};
  }

  Result<void> ReadBindings() {
    const std::string subject = std::string(kind_) + " mutator " + into_.id_.name;
    for (const ApplyTo& entry : apply_to_) {
      if (entry.groups.empty() || entry.versions.empty() || entry.kinds.empty()) {
        return Invalid("invalid applyTo for " + subject +
                       ", all of group, version and kind must be specified");
      }
    }
    std::string problems;
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      for (const std::string& problem : OperationProblems(operations_[i], i)) {
        problems += (problems.empty() ? "" : "; ") + problem;
      }
    }
    if (!problems.empty()) {
      return Invalid("invalid applyTo for " + subject + ": " + problems);
    }
    if (apply_to_.empty()) {
      return Invalid("applyTo required for " + subject);
    }
    for (std::size_t i = 0; i < apply_to_.size(); ++i) {
      const auto has = [&](std::string_view name) {
        return operations_[i].empty() ||
               std::ranges::find(operations_[i], "*") != operations_[i].end() ||
               std::ranges::find(operations_[i], name) != operations_[i].end();
      };
      apply_to_[i].on_create = has("CREATE");
      apply_to_[i].on_update = has("UPDATE");
    }
    into_.apply_to_ = std::move(apply_to_);
    return {};
  }

  static std::vector<std::string> OperationProblems(const std::vector<std::string>& operations,
                                                    std::size_t entry) {
    std::vector<std::string> problems;
    const std::string place = "applyTo[" + std::to_string(entry) + "].operations";
    for (std::size_t i = 0; i < operations.size(); ++i) {
      const std::string& one = operations[i];
      const auto here = operations.begin() + static_cast<std::ptrdiff_t>(i);
      if (std::find(operations.begin(), here, one) != here) {
        problems.push_back("duplicate operation " + Quote(one) + " in " + place);
      }
      if (one != "CREATE" && one != "UPDATE" && one != "*") {
        problems.push_back("invalid operation " + Quote(one) + " in " + place +
                           ": must be one of CREATE, UPDATE, *");
      }
    }
    if (operations.size() > 1 && std::ranges::find(operations, "*") != operations.end()) {
      problems.push_back("wildcard \"*\" in " + place +
                         " must not be combined with other operations");
    }
    return problems;
  }

  // parameters.assign: exactly one of its three sources.
  Result<void> ReadSource() {
    const Value assign = parameters_.Find("assign");
    const Value value = assign.Find("value");
    const Value metadata = assign.Find("fromMetadata");
    const Value external = assign.Find("externalData");
    const int given =
        (IsAbsent(value) ? 0 : 1) + (IsAbsent(metadata) ? 0 : 1) + (IsAbsent(external) ? 0 : 1);
    if (given != 1) {
      return Invalid(
          std::string(given == 0 ? "assign must set one of " : "assign must only set one of ") +
          "`externalData`, `value` or `fromMetadata`: invalid assign field");
    }
    if (!IsAbsent(value)) {
      into_.value_ = WithFloats(value, into_.arena_);
    } else if (!IsAbsent(metadata)) {
      const std::string_view field = metadata.GetString({"field"});
      if (field != "name" && field != "namespace") {
        return Invalid("field " + std::string(field) +
                       " is not recognized: invalid fromMetadata field");
      }
      into_.metadata_field_ = field == "name" ? MetadataField::kName : MetadataField::kNamespace;
    } else {
      return ReadExternalData(external);
    }
    return {};
  }

  Result<void> ReadExternalData(const Value& external) {
    ExternalDataSource source;
    source.provider = std::string(external.GetString({"provider"}));
    source.by_username = external.GetString({"dataSource"}) == "Username";
    source.default_value = std::string(external.GetString({"default"}));
    const std::string_view policy = external.GetString({"failurePolicy"});
    const bool fails = policy == "Fail" || (policy.empty() && defaults_ == FieldDefaults::kOfCrds);
    source.failure_policy = fails                    ? FailurePolicy::kFail
                            : policy == "Ignore"     ? FailurePolicy::kIgnore
                            : policy == "UseDefault" ? FailurePolicy::kUseDefault
                                                     : FailurePolicy::kNone;
    if (source.failure_policy == FailurePolicy::kUseDefault && source.default_value.empty()) {
      return Invalid("`default` must not be empty when `failurePolicy` is set to `UseDefault`");
    }
    into_.external_data_ = std::move(source);
    return {};
  }

  Result<void> ReadAssign(const std::string& location) {
    into_.location_ = TRY(ReadLocation(location, "Assign"));
    if (ChangesMetadata()) {
      return Invalid("assign " + into_.id_.name + " can't change metadata");
    }
    TRY(CheckKeyNotChanged(into_.location_));
    TRY(ReadSource());
    if (into_.value_.is_defined()) {
      TRY(CheckAssignedItem(into_.location_, into_.value_));
    }
    if (into_.location_.steps.back().is_list()) {
      if (into_.metadata_field_ != MetadataField::kNone) {
        return Invalid("cannot assign a metadata field to a list");
      }
      if (into_.external_data_) {
        return Invalid("cannot assign external data response to a list");
      }
    }
    TRY(ReadPathTests());
    return ReadBindings();
  }

  Result<void> ReadAssignMetadata(const std::string& location) {
    const std::string& name = into_.id_.name;
    into_.location_ =
        TRY(AddContext(ParseLocation(location),
                       "invalid location format for AssignMetadata " + name + ": " + location));
    const auto& steps = into_.location_.steps;
    const bool fields =
        std::ranges::none_of(steps, [](const LocationStep& step) { return step.is_list(); });
    if (steps.size() != 3 || !fields || steps[0].name != "metadata" ||
        (steps[1].name != "labels" && steps[1].name != "annotations")) {
      return Invalid("invalid location for assignmetadata " + name + ": " + location);
    }
    TRY(ReadSource());
    if (into_.external_data_ && !into_.external_data_->by_username) {
      return Invalid("only username data source is supported for assignmetadata " + name);
    }
    if (into_.value_.is_defined() && !into_.value_.is_string()) {
      return Invalid("spec.parameters.assign.value field must be a string for AssignMetadata " +
                     Quote(name));
    }
    into_.path_tests_[steps.size()] = PathCondition::kMustNotExist;
    return {};
  }

  Result<void> ReadModifySet(const std::string& location) {
    into_.location_ = TRY(ReadLocation(location, "ModifySet"));
    if (ChangesMetadata()) {
      return Invalid("modifyset " + into_.id_.name + " can't change metadata");
    }
    if (!into_.location_.steps.empty() && into_.location_.steps.back().is_list()) {
      return Invalid("final node in a modifyset location cannot be a keyed list");
    }
    std::string operation =
        TRY(Text(parameters_, "operation", "ModifySetParameters", "spec.parameters."));
    if (operation.empty() && defaults_ == FieldDefaults::kOfCrds) {
      operation = "merge";
    }
    into_.set_operation_ = operation == "merge"   ? SetOperation::kMerge
                           : operation == "prune" ? SetOperation::kPrune
                                                  : SetOperation::kOther;
    into_.set_operation_text_ = std::move(operation);
    const Value values = parameters_.Get({"values", "fromList"});
    if (!IsAbsent(values) && !values.is_array()) {
      return WrongType(values, "Values.spec.parameters.values.fromList", "[]interface {}");
    }
    if (values.is_array()) {
      into_.set_values_ = document::DeepCopy(values, into_.arena_);
    }
    TRY(ReadPathTests());
    return ReadBindings();
  }

  Result<void> ReadAssignImage(const std::string& location) {
    const std::string subject = "assignImage " + into_.id_.name;
    into_.location_ = TRY(ReadLocation(location, "assignImage"));
    if (ChangesMetadata()) {
      return Invalid(subject + " can't change metadata");
    }
    if (!into_.location_.steps.empty() && into_.location_.steps.back().is_list()) {
      return Invalid(subject + " cannot mutate list-type fields");
    }
    TRY(CheckKeyNotChanged(into_.location_));
    constexpr std::string_view kOwner = "AssignImageParameters";
    constexpr std::string_view kPath = "spec.parameters.";
    into_.image_.domain = TRY(Text(parameters_, "assignDomain", kOwner, kPath));
    into_.image_.path = TRY(Text(parameters_, "assignPath", kOwner, kPath));
    into_.image_.tag = TRY(Text(parameters_, "assignTag", kOwner, kPath));
    TRY(AddContext(CheckImageParts(into_.image_), subject + " has invalid parameters"));
    TRY(ReadPathTests());
    return ReadBindings();
  }

  const Value object_;
  const Value spec_;
  const Value parameters_;
  const FieldDefaults defaults_;
  Mutator& into_;
  const std::string_view kind_;
  const std::string spec_type_;
  std::vector<ApplyTo> apply_to_;
  std::vector<std::vector<std::string>> operations_;  // Of each of apply_to_.
};

Result<std::shared_ptr<const Mutator>> Mutator::Make(const Value& object, FieldDefaults defaults) {
  const std::optional<MutatorKind> kind = FindMutatorKind(object.GetString({"kind"}));
  if (!kind) {
    return Invalid("cannot convert mutator of kind " + Quote(object.GetString({"kind"})));
  }
  const std::shared_ptr<Mutator> mutator(new Mutator);
  mutator->id_.kind = *kind;
  TRY(MutatorReader(object, defaults, *mutator).Read());
  return mutator;
}

}  // namespace portcullis::mutation
