// One mutator: Assign, AssignMetadata, ModifySet or AssignImage, read and checked (gatekeeper.md 1.6, 6.2 to 6.4).

#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "document/arena.h"
#include "document/object.h"
#include "document/value.h"
#include "mutation/image.h"
#include "mutation/location.h"
#include "rules/policy/match.h"

namespace portcullis::mutation {

inline constexpr std::string_view kMutationsGroup = "mutations.gatekeeper.sh";

// In the order in which Gatekeeper applies them.
enum class MutatorKind : std::uint8_t { kAssign, kAssignImage, kAssignMetadata, kModifySet };
[[nodiscard]] std::string_view NameOf(MutatorKind kind);
[[nodiscard]] std::optional<MutatorKind> FindMutatorKind(std::string_view name);
// Whether an object of this type is a mutator.
[[nodiscard]] bool IsMutator(std::string_view group, std::string_view kind);

// Sorts as Gatekeeper applies mutators.
struct MutatorId {
  MutatorKind kind = MutatorKind::kAssign;
  std::string name_space;  // Empty: mutators are of the cluster.
  std::string name;
  // "Assign.mutations.gatekeeper.sh /name"
  [[nodiscard]] std::string ToString() const;
  friend auto operator<=>(const MutatorId&, const MutatorId&) = default;
};

enum class Operation : std::uint8_t { kUnknown, kCreate, kUpdate };

// What is mutated.
struct Mutable {
  document::Value object;      // With numbers as in go_value.h.
  document::Value name_space;  // The Namespace object; undefined: none is known.
  std::string_view username;
  std::string_view source;  // "Original" or "Generated".
  // Unknown: mutators of every operation alone apply.
  Operation operation = Operation::kUnknown;
};

// An object's type as applyTo looks at it. LIFETIME: that of the object.
struct TypeView {
  std::string_view group;
  std::string_view version;
  std::string_view kind;
};
[[nodiscard]] TypeView TypeOf(const document::Value& object);

struct ApplyTo {
  std::vector<std::string> groups;
  std::vector<std::string> versions;
  std::vector<std::string> kinds;
  bool on_create = true;
  bool on_update = true;
  [[nodiscard]] bool Applies(const TypeView& type, Operation operation) const;
};

enum class PathCondition : std::uint8_t { kMustExist, kMustNotExist, kNeither };

struct PathTest {
  Location path;
  PathCondition condition = PathCondition::kNeither;
};

enum class FailurePolicy : std::uint8_t { kFail, kIgnore, kUseDefault, kNone };

struct ExternalDataSource {
  std::string provider;
  bool by_username = false;  // The key is the user's name, else the value at the location.
  FailurePolicy failure_policy = FailurePolicy::kFail;
  std::string default_value;
  friend bool operator==(const ExternalDataSource&, const ExternalDataSource&) = default;
};

enum class SetOperation : std::uint8_t { kMerge, kPrune, kOther };
enum class MetadataField : std::uint8_t { kNone, kName, kNamespace };

// Whether fields that are left out get the defaults that the CRDs give them (gator, which has no API server, does not).
enum class FieldDefaults : std::uint8_t { kOfCrds, kNone };

// Immutable. THREADS: may be read in parallel.
class Mutator {
 public:
  // ERRORS: kInvalidArgument with the text with which Gatekeeper refuses the mutator.
  static Result<std::shared_ptr<const Mutator>> Make(
      const document::Value& object, FieldDefaults defaults = FieldDefaults::kOfCrds);

  [[nodiscard]] const MutatorId& id() const { return id_; }
  [[nodiscard]] std::int64_t generation() const { return generation_; }
  [[nodiscard]] const std::string& uid() const { return uid_; }
  // What it was made of, but for what does not change it: equal for equal mutators.
  [[nodiscard]] const std::string& source() const { return source_; }
  [[nodiscard]] const Location& location() const { return location_; }
  // "Assign//name:generation", as annotations and logs name it.
  [[nodiscard]] std::string Summary() const;

  // AssignMetadata has none: it applies to every kind that its match lets through.
  [[nodiscard]] const std::vector<ApplyTo>& apply_to() const { return apply_to_; }
  [[nodiscard]] const policy::Match& match() const { return match_; }
  // Nothing may lie below the location: its value is a text.
  [[nodiscard]] bool must_terminate() const {
    return id_.kind == MutatorKind::kAssignImage || external_data_.has_value();
  }
  [[nodiscard]] const std::optional<ExternalDataSource>& external_data() const {
    return external_data_;
  }

  // ERRORS: kInvalidArgument with Gatekeeper's text: the match cannot be decided.
  // `type` and `subject` are the object's.
  [[nodiscard]] Result<bool> Matches(const TypeView& type, Operation operation,
                                     const policy::MatchSubject& subject) const;

  // The object after this mutator; the same handle where nothing changes; undefined where the mutator does not apply (a path
  // test that fails). `number` is that of placeholders that it leaves. Parts are shared with `target` and this mutator.
  // ERRORS: kInvalidArgument with Gatekeeper's text: the object is not of the form that the location says.
  [[nodiscard]] Result<document::Value> Apply(const Mutable& target, std::int64_t number,
                                              document::Arena& arena) const;

 private:
  friend class MutatorReader;
  friend class Application;
  Mutator();

  MutatorId id_;
  std::int64_t generation_ = 0;
  std::string uid_;
  std::string source_;
  Location location_;
  std::vector<ApplyTo> apply_to_;
  policy::Match match_;
  // By the number of steps of the tested path.
  std::map<std::size_t, PathCondition> path_tests_;
  // One of these, by kind. Values live in arena_.
  document::Arena arena_;
  document::Value value_;  // Assign, AssignMetadata.
  MetadataField metadata_field_ = MetadataField::kNone;
  std::optional<ExternalDataSource> external_data_;
  SetOperation set_operation_ = SetOperation::kMerge;
  std::string set_operation_text_;
  document::Value set_values_;  // A list; undefined: none given.
  ImageParts image_;
};

}  // namespace portcullis::mutation
