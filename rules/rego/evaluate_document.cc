#include <algorithm>
#include <utility>

#include "rules/rego/base_child.h"
#include "rules/rego/evaluator.h"
#include "rules/rego/scratch.h"

namespace portcullis::rego {
namespace {

using document::Member;
using document::ObjectBuilder;
using document::Value;

constexpr std::string_view kInventory = "inventory";
constexpr std::string_view kSystem = "system";

// Base documents win where both have a key, and objects are merged.
Value Merge(const Value& base, const Value& rules, document::Arena& arena) {
  if (!base.is_object() || !rules.is_object()) {
    return base;
  }
  ObjectBuilder merged(arena);
  for (std::uint32_t i = 0; i < base.size(); ++i) {
    const Value other = rules.Find(base.KeyAt(i));
    merged.Add(base.KeyAt(i),
               other.is_undefined() ? base.ValueAt(i) : Merge(base.ValueAt(i), other, arena));
  }
  for (std::uint32_t i = 0; i < rules.size(); ++i) {
    if (base.Find(rules.KeyAt(i)).is_undefined()) {
      merged.Add(rules.KeyAt(i), rules.ValueAt(i));
    }
  }
  return merged.Finish();
}

Value Without(const Value& object, std::string_view key, document::Arena& arena) {
  if (!object.is_object() || object.Find(key).is_undefined()) {
    return object;
  }
  ObjectBuilder rest(arena);
  for (std::uint32_t i = 0; i < object.size(); ++i) {
    if (!document::Equal(object.KeyAt(i), Value::String(key))) {
      rest.Add(object.KeyAt(i), object.ValueAt(i));
    }
  }
  return rest.Finish();
}

Value WithMember(const Value& object, const Value& key, const Value& value,
                 document::Arena& arena) {
  ObjectBuilder changed(arena);
  for (std::uint32_t i = 0; i < object.size(); ++i) {
    changed.Add(object.KeyAt(i), object.ValueAt(i));
  }
  changed.Add(key, value);
  return changed.Finish();
}

// `document` with `value` at `path`; what is no object on the way becomes one.
Value Replace(const Value& document, std::span<const Value> path, const Value& value,
              document::Arena& arena) {
  if (path.empty()) {
    return value;
  }
  const Value inner = document.is_object() ? document.Find(path.front()) : Value();
  const Value object = document.is_object() ? document : Value::Object({});
  return WithMember(object, path.front(), Replace(inner, path.subspan(1), value, arena), arena);
}

const DocumentNode* ChildOf(const DocumentNode* node, const Value& key) {
  if (node == nullptr || !key.is_string()) {
    return nullptr;
  }
  const auto child = node->children.find(key.string());
  return child == node->children.end() ? nullptr : child->second.get();
}

}  // namespace

bool Evaluator::IsMasked(std::span<const Value> path) const {
  for (const Context::Mask* mask = context_->masks; mask != nullptr; mask = mask->next) {
    if (mask->path.size() <= path.size() &&
        std::equal(mask->path.begin(), mask->path.end(), path.begin(), document::Equal)) {
      return true;
    }
  }
  return false;
}

bool Evaluator::MaterialiseData(Value* result) {
  *result = context_->data;
  if (context_->inventory == nullptr) {
    return true;
  }
  Value inventory;
  if (!MaterialiseInventory(&inventory)) {
    return false;
  }
  *result = WithMember(context_->data.is_object() ? context_->data : Value::Object({}),
                       Value::String(kInventory), inventory, *arena_);
  return true;
}

bool Evaluator::BaseAt(std::span<const Value> path, Value* result) {
  if (context_->inventory != nullptr && path.empty()) {
    return MaterialiseData(result);
  }
  Value value = context_->data;
  std::size_t from = 0;
  if (context_->inventory != nullptr && document::Equal(path[0], Value::String(kInventory))) {
    if (!MaterialiseInventory(&value)) {
      return false;
    }
    from = 1;
  }
  for (const Value& key : path.subspan(from)) {
    value = BaseChild(value, key);
  }
  *result = value;
  return true;
}

Signal Evaluator::Document(const Step& step, Value* slots) {
  Path path = step.document->path;
  return WalkDocument(step, slots, step.document->node, path, 0);
}

Signal Evaluator::EnterDocument(const Step& step, Value* slots, const DocumentNode* node,
                                Path& path, std::size_t level, const Value& key) {
  const std::span<const Level> rest = std::span(step.document->levels).subspan(level + 1);
  path.push_back(key);
  const DocumentNode* child = IsMasked(path) ? nullptr : ChildOf(node, key);
  Signal signal = Signal::kContinue;
  if (child != nullptr && child->is_function) {
    signal = Signal::kContinue;
  } else if (child != nullptr && child->whole != nullptr) {
    Value value;
    if (!Call(*child->whole, {}, true, &value)) {
      signal = FailAfterwards(*child->whole, {}, [&](const Value& first) {
        return WalkValue(step, slots, first, rest, rego::ChildOf);
      });
    } else if (value.is_defined()) {
      signal = WalkValue(step, slots, value, rest, rego::ChildOf);
    }
  } else if (child != nullptr) {
    signal = WalkDocument(step, slots, child, path, level + 1);
  } else {
    Value value;
    if (!BaseAt(path, &value)) {
      signal = Signal::kError;
    } else if (value.is_defined()) {
      signal = WalkValue(step, slots, value, rest, BaseChild);
    }
  }
  path.pop_back();
  return signal;
}

Signal Evaluator::WalkDocument(const Step& step, Value* slots, const DocumentNode* node, Path& path,
                               std::size_t level) {
  if (level == step.document->levels.size()) {
    Value value;
    if (!DocumentExtent(node, path, &value)) {
      return Signal::kError;
    }
    if (value.is_undefined()) {
      return Signal::kContinue;
    }
    if (step.to != kNoSlot) {
      slots[step.to] = value;
    }
    return Run(&step + 1, slots);
  }
  const Level& at = step.document->levels[level];
  if (at.kind == Level::Kind::kKey) {
    return EnterDocument(step, slots, node, path, level, Get(at.key, slots));
  }
  Value base;
  if (!BaseAt(path, &base)) {
    return Signal::kError;
  }
  if (path.empty()) {
    base = Without(base, kSystem, *arena_);
  }
  const auto enter = [&](const Value& key) {
    if (at.slot != kNoSlot) {
      slots[at.slot] = key;
    }
    return EnterDocument(step, slots, node, path, level, key);
  };
  for (std::uint32_t i = 0; i < base.size(); ++i) {
    const Value key = base.is_object()  ? base.KeyAt(i)
                      : base.is_array() ? Value::Int(i)
                                        : base.ItemAt(i);
    if (const Signal signal = enter(key); signal != Signal::kContinue) {
      return signal;
    }
  }
  if (node == nullptr) {
    return Signal::kContinue;
  }
  for (const auto& [name, child] : node->children) {
    const Value key = Value::String(name);
    if (base.is_object() && base.Find(key).is_defined()) {
      continue;
    }
    if (const Signal signal = enter(key); signal != Signal::kContinue) {
      return signal;
    }
  }
  return Signal::kContinue;
}

Signal Evaluator::WalkValue(const Step& step, Value* slots, const Value& value,
                            std::span<const Level> levels, ChildFinder child) {
  if (levels.empty()) {
    if (step.to != kNoSlot) {
      slots[step.to] = value;
    }
    return Run(&step + 1, slots);
  }
  const Level& at = levels.front();
  if (at.kind == Level::Kind::kKey) {
    const Value next = child(value, Get(at.key, slots));
    return next.is_undefined() ? Signal::kContinue
                               : WalkValue(step, slots, next, levels.subspan(1), child);
  }
  for (std::uint32_t i = 0; i < value.size(); ++i) {
    const Value item = value.is_object() ? value.ValueAt(i) : value.ItemAt(i);
    if (at.slot != kNoSlot) {
      slots[at.slot] = value.is_object() ? value.KeyAt(i) : value.is_array() ? Value::Int(i) : item;
    }
    if (const Signal signal = WalkValue(step, slots, item, levels.subspan(1), child);
        signal != Signal::kContinue) {
      return signal;
    }
  }
  return Signal::kContinue;
}

bool Evaluator::DocumentExtent(const DocumentNode* node, Path& path, Value* result) {
  Value base;
  if (!BaseAt(path, &base)) {
    return false;
  }
  if (path.empty()) {
    base = Without(base, kSystem, *arena_);
  }
  if (node == nullptr || IsMasked(path)) {
    *result = base;
    return true;
  }
  Value rules;
  if (!RulesExtent(*node, path, &rules)) {
    return false;
  }
  *result = base.is_undefined() ? rules : Merge(base, rules, *arena_);
  return true;
}

bool Evaluator::RulesExtent(const DocumentNode& node, Path& path, Value* result) {
  ObjectBuilder object(*arena_);
  for (const auto& [name, child] : node.children) {
    if (child->hidden || child->is_function) {
      continue;
    }
    path.push_back(Value::String(name));
    Value value;
    const bool ran = IsMasked(path)            ? BaseAt(path, &value)
                     : child->whole != nullptr ? Call(*child->whole, {}, true, &value)
                                               : RulesExtent(*child, path, &value);
    path.pop_back();
    if (!ran) {
      return false;
    }
    if (value.is_defined()) {
      object.Add(Value::String(name), value);
    }
  }
  *result = object.Finish();
  return true;
}

bool Evaluator::ReplaceDocuments(const WithTargets& targets, const Value* slots, Context* context) {
  for (const WithTargets::Document& target : targets.documents) {
    const Value& value = Get(target.value, slots);
    if (target.is_input) {
      context->input = Replace(context->input, target.path, value, *arena_);
      continue;
    }
    if (context->inventory != nullptr &&
        (target.path.empty() || document::Equal(target.path[0], Value::String(kInventory)))) {
      // The rest of the inventory is needed only where a part of it is replaced.
      if (target.path.size() > 1 && !MaterialiseData(&context->data)) {
        return false;
      }
      context->inventory = nullptr;
    }
    context->data = Replace(context->data, target.path, value, *arena_);
    context->masks =
        arena_->New<Context::Mask>(Context::Mask{.path = target.path, .next = context->masks});
  }
  return true;
}

Signal Evaluator::With(const Step& step, Value* slots) {
  Context context = *context_;
  context.outer = context_;
  KeptResults kept(*arena_, program_.procedures.size(), program_.groupings.size());
  context.kept = &kept;
  if (!ReplaceDocuments(*step.with, slots, &context)) {
    return Signal::kError;
  }
  for (const WithTargets::Mock& mock : step.with->mocks) {
    context.mocks = arena_->New<Context::Mock>(Context::Mock{
        .mock = &mock,
        .value = mock.by_builtin == nullptr && mock.by_procedure == nullptr ? Get(mock.value, slots)
                                                                            : Value(),
        .next = context.mocks});
  }
  Context* outer = std::exchange(context_, &context);
  const Signal signal = Run(&step + 1, slots);
  context_ = outer;
  return signal;
}

Signal Evaluator::WithEnd(const Step& step, Value* slots) {
  Context* inner = context_;
  context_ = inner->outer;
  const Signal signal = Run(&step + 1, slots);
  context_ = inner;
  return signal;
}

}  // namespace portcullis::rego
