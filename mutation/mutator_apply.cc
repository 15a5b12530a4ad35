// How a mutator changes an object: down its location, and back up with copies of what changed.

#include <utility>

#include "mutation/go_value.h"
#include "mutation/mutator.h"

namespace portcullis::mutation {

using document::Value;

namespace {

std::unexpected<Error> Invalid(std::string text) {
  return Fail(ErrorCode::kInvalidArgument, std::move(text));
}

Value KeyValue(const LocationStep& step) {
  const auto* number = std::get_if<std::int64_t>(&step.key);
  return number != nullptr ? Value::Int(*number) : Value::String(std::get<std::string>(step.key));
}

}  // namespace

// One mutator on one object.
class Application {
 public:
  Application(const Mutator& mutator, const Mutable& target, std::int64_t number,
              document::Arena& arena)
      : mutator_(mutator),
        target_(target),
        steps_(mutator.location_.steps),
        number_(number),
        arena_(arena) {}

  Result<Value> Run() {
    if (steps_.empty()) {
      return Invalid("attempting to mutate an empty target location");
    }
    return At(target_.object, 0);
  }

 private:
  // What the part of the object at step `depth` becomes; undefined: a path test fails, nothing happens.
  Result<Value> At(const Value& current, std::size_t depth) {
    return steps_[depth].is_list() ? AtList(current, depth) : AtField(current, depth);
  }

  Result<Value> AtField(const Value& current, std::size_t depth) {
    const LocationStep& step = steps_[depth];
    if (!current.is_object()) {
      return Invalid("mismatch between path entry (type: object) and received object (type: " +
                     std::string(GoTypeOf(current)) + "). Path: " + step.ToString());
    }
    const Value present = current.Find(step.name);
    if (!Passes(present.is_defined(), depth)) {
      return Value();
    }
    Value next;
    if (depth + 1 == steps_.size()) {
      next = TRY(Set(present));
    } else {
      next = TRY(At(present.is_defined() ? present : MakeMissing(depth), depth + 1));
      if (next.is_undefined()) {
        return Value();
      }
    }
    // A pruned set that is not there stays away; all else is equal or new.
    if (next.is_undefined() || (present.is_defined() && GoEqual(present, next))) {
      return current;
    }
    return WithMember(current, step.name, next, arena_);
  }

  Result<Value> AtList(const Value& current, std::size_t depth) {
    const LocationStep& step = steps_[depth];
    if (!current.is_array() && !IsNilList(current)) {
      return Invalid("mismatch between path entry (type: List) and received object (type: " +
                     std::string(GoTypeOf(current)) + "). Path: " + step.ToString());
    }
    if (depth + 1 == steps_.size()) {
      return SetItem(current, depth);
    }
    if (step.glob && !Passes(true, depth)) {
      return Value();
    }
    const Value key = step.glob ? Value() : KeyValue(step);
    Value list = current;
    bool found = false;
    bool applied = false;
    for (std::uint32_t i = 0; i < current.size(); ++i) {
      const Value item = current.ItemAt(i);
      if (!step.glob) {
        const Value own = item.Find(step.name);
        if (!item.is_object() || own.is_undefined() || !GoEqual(key, own)) {
          continue;
        }
        if (!Passes(true, depth)) {
          return Value();
        }
      }
      found = true;
      const Value changed = TRY(At(item, depth + 1));
      if (changed.is_defined()) {
        applied = true;
        list = WithItem(list, i, changed, arena_);
      }
    }
    if (!step.glob && !found) {
      if (!Passes(false, depth)) {
        return Value();
      }
      const Value added = TRY(At(MakeMissing(depth), depth + 1));
      if (added.is_defined()) {
        applied = true;
        list = WithItem(list, list.size(), added, arena_);
      }
    }
    return applied ? list : Value();
  }

  // The last step is a list: its item is replaced or added.
  Result<Value> SetItem(const Value& list, std::size_t depth) {
    const LocationStep& step = steps_[depth];
    if (mutator_.id_.kind != MutatorKind::kAssign) {
      return Invalid("mutator does not understand keyed lists");
    }
    const Value& value = mutator_.value_;
    const Value key = KeyValue(step);
    for (std::uint32_t i = 0; i < list.size(); ++i) {
      const Value item = list.ItemAt(i);
      if (!item.is_object()) {
        return Invalid("cast error, unable to case " + std::string(GoTypeOf(item)) +
                       " to map[string]interface{}");
      }
      const Value own = item.Find(step.name);
      if (own.is_undefined() || !GoEqual(key, own)) {
        continue;
      }
      if (!Passes(true, depth)) {
        return Value();
      }
      return GoEqual(item, value) ? list : WithItem(list, i, value, arena_);
    }
    return Passes(false, depth) ? WithItem(list, list.size(), value, arena_) : Value();
  }

  // Whether the path test at this step lets the mutation go on.
  [[nodiscard]] bool Passes(bool exists, std::size_t depth) const {
    const auto found = mutator_.path_tests_.find(depth + 1);
    if (found == mutator_.path_tests_.end()) {
      return true;
    }
    return found->second == (exists ? PathCondition::kMustExist : PathCondition::kMustNotExist);
  }

  // What step `depth` leads to where there is nothing yet, without what the next step adds.
  [[nodiscard]] Value MakeMissing(std::size_t depth) {
    if (steps_[depth + 1].is_list()) {
      return Value::Array({});
    }
    if (!steps_[depth].is_list()) {
      return Value::Object({});
    }
    return WithMember(Value::Object({}), steps_[depth].name, KeyValue(steps_[depth]), arena_);
  }

  // What the last field becomes; undefined: it stays away.
  Result<Value> Set(const Value& present) {
    switch (mutator_.id_.kind) {
      case MutatorKind::kAssign:
      case MutatorKind::kAssignMetadata:
        return Assigned(present);
      case MutatorKind::kAssignImage: {
        if (present.is_defined() && !present.is_string()) {
          // Gatekeeper prints the text that it made of the value, which is empty.
          return Invalid(
              "expected value at AssignImage location to be a string, got  of type string");
        }
        const std::string_view image = present.is_defined() ? present.string() : "";
        return Value::String(arena_.CopyString(WithImageParts(image, mutator_.image_)));
      }
      case MutatorKind::kModifySet:
        return Modified(present);
    }
    return Value();
  }

  Result<Value> Assigned(const Value& present) {
    switch (mutator_.metadata_field_) {
      case MetadataField::kName:
        return Value::String(target_.object.GetString({"metadata", "name"}));
      case MetadataField::kNamespace:
        return Value::String(target_.object.GetString({"metadata", "namespace"}));
      case MetadataField::kNone:
        break;
    }
    if (!mutator_.external_data_) {
      return mutator_.value_;
    }
    std::string_view key = mutator_.external_data_->by_username ? target_.username : "";
    if (IsPlaceholder(present)) {
      key = PlaceholderKey(present);
    } else if (present.is_string()) {
      key = present.string();
    } else if (present.is_defined()) {
      return Invalid("value assigned to external data placeholder is not a string, got " +
                     GoTextOf(present) + " (" + std::string(GoTypeOf(present)) + ")");
    }
    return MakePlaceholder(number_, key, arena_);
  }

  Result<Value> Modified(const Value& present) {
    if (mutator_.set_operation_ == SetOperation::kOther) {
      return Invalid("unrecognized operation for modifyset: " + mutator_.set_operation_text_);
    }
    const bool merge = mutator_.set_operation_ == SetOperation::kMerge;
    const Value& values = mutator_.set_values_;
    if (present.is_undefined()) {
      return !merge ? Value() : values.is_defined() ? values : NilList();
    }
    if (!present.is_array() && !IsNilList(present)) {
      return Invalid(GoTextOf(present) + " is not a list of values, cannot treat it as a set");
    }
    document::ArrayBuilder items(arena_);
    const auto holds = [](const Value& list, const Value& item) {
      for (std::uint32_t i = 0; i < list.size(); ++i) {
        if (GoEqual(list.ItemAt(i), item)) {
          return true;
        }
      }
      return false;
    };
    for (std::uint32_t i = 0; i < present.size(); ++i) {
      if (merge || !holds(values, present.ItemAt(i))) {
        items.Add(present.ItemAt(i));
      }
    }
    for (std::uint32_t i = 0; merge && i < values.size(); ++i) {
      bool known = holds(present, values.ItemAt(i));
      for (std::uint32_t before = 0; before < i && !known; ++before) {
        known = GoEqual(values.ItemAt(before), values.ItemAt(i));
      }
      if (!known) {
        items.Add(values.ItemAt(i));
      }
    }
    if (items.size() == present.size() && (merge || present.is_array())) {
      return present;
    }
    return items.Finish();
  }

  const Mutator& mutator_;
  const Mutable& target_;
  const std::vector<LocationStep>& steps_;
  const std::int64_t number_;
  document::Arena& arena_;
};

Result<Value> Mutator::Apply(const Mutable& target, std::int64_t number,
                             document::Arena& arena) const {
  return Application(*this, target, number, arena).Run();
}

}  // namespace portcullis::mutation
