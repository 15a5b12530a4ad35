#include "rules/rego/evaluator.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "rules/rego/base_child.h"
#include "rules/rego/print_text.h"
#include "rules/rego/scratch.h"

namespace portcullis::rego {
namespace {

using document::Value;

// Steps between two looks at the clock and the memory.
constexpr std::int32_t kTicks = 1024;
// Loops and calls within each other. No ordinary policy comes near; the native stack holds it.
constexpr std::uint32_t kMostDepth = 1000;
constexpr std::size_t kFirstSlots = 512;
constexpr std::size_t kInlineArguments = 8;

bool Holds(Comparison comparison, const Value& a, const Value& b) {
  if (a.is_int() && b.is_int()) {
    const std::int64_t x = a.integer();
    const std::int64_t y = b.integer();
    switch (comparison) {
      case Comparison::kEqual:
        return x == y;
      case Comparison::kNotEqual:
        return x != y;
      case Comparison::kLess:
        return x < y;
      case Comparison::kLessOrEqual:
        return x <= y;
      case Comparison::kGreater:
        return x > y;
      case Comparison::kGreaterOrEqual:
        return x >= y;
    }
  }
  switch (comparison) {
    case Comparison::kEqual:
      return document::Equal(a, b);
    case Comparison::kNotEqual:
      return !document::Equal(a, b);
    case Comparison::kLess:
      return document::Compare(a, b) < 0;
    case Comparison::kLessOrEqual:
      return document::Compare(a, b) <= 0;
    case Comparison::kGreater:
      return document::Compare(a, b) > 0;
    case Comparison::kGreaterOrEqual:
      return document::Compare(a, b) >= 0;
  }
  return false;
}

}  // namespace

Evaluator::Evaluator(const Program& program, const EvaluationRequest& request,
                     builtins::PreparedCache& prepared)
    : program_(program),
      request_(request),
      prepared_(prepared),
      constants_(program.constants.data()),
      arena_(request.arena) {
  root_.input = request.input;
  root_.data = request.data;
  root_.inventory = request.inventory;
  root_.kept = new (request.arena->Allocate(sizeof(KeptResults), alignof(KeptResults)))
      KeptResults(*request.arena, program.procedures.size(), program.groupings.size());
  root_call_ = MakeCallContext(*request.arena, prepared, request);
  call_ = root_call_.get();
}

Evaluator::~Evaluator() {
  if (request_.statistics != nullptr) {
    *request_.statistics = statistics_;
  }
}

Value Evaluator::RunDocument() {
  Value result;
  Call(*program_.entry, {}, true, &result);
  PreferBuiltinError();
  if (failed_) {
    return {};
  }
  return kept_scratch_.empty() || result.is_undefined()
             ? result
             : document::DeepCopy(result, *request_.arena);
}

// Where errors of builtins are strict, the first of them is told whatever else went wrong.
void Evaluator::PreferBuiltinError() {
  if (builtin_error_ && !engine_error_) {
    error_ = std::move(builtin_error_);
    failed_ = true;
  }
}

std::vector<std::vector<Value>> Evaluator::RunQuery() {
  std::vector<std::vector<Value>> rows;
  Frame saved;
  Value* slots = PushFrame(program_.query_frame_size, &saved);
  RunBlock(*program_.query, slots);
  PopFrame(saved);
  PreferBuiltinError();
  if (failed_) {
    return rows;
  }
  // A row is its variables and one item more, so that a query without variables has rows too.
  const std::size_t width = program_.query_variables.size() + 1;
  for (std::size_t i = 0; i + width <= collected_.size(); i += width) {
    std::vector<Value>& row = rows.emplace_back();
    for (std::size_t j = 0; j + 1 < width; ++j) {
      row.push_back(kept_scratch_.empty() ? collected_[i + j]
                                          : document::DeepCopy(collected_[i + j], *request_.arena));
    }
  }
  return rows;
}

Value* Evaluator::PushFrame(std::size_t size, Frame* saved) {
  *saved = {.segment = segment_, .top = top_, .end = end_};
  if (static_cast<std::size_t>(end_ - top_) < size) {
    if (top_ != nullptr) {
      ++segment_;
    }
    if (segment_ < segments_.size() &&
        static_cast<std::size_t>(segments_[segment_].end - segments_[segment_].begin) < size) {
      segments_.resize(segment_);
    }
    if (segment_ >= segments_.size()) {
      const auto slots = request_.arena->AllocateArray<Value>(std::max(size, kFirstSlots));
      segments_.push_back({.begin = slots.data(), .end = slots.data() + slots.size()});
    }
    top_ = segments_[segment_].begin;
    end_ = segments_[segment_].end;
  }
  Value* frame = top_;
  top_ += size;
  return frame;
}

void Evaluator::PopFrame(const Frame& saved) {
  segment_ = saved.segment;
  top_ = saved.top;
  end_ = saved.end;
}

bool Evaluator::CheckLimits() {
  ticks_ = kTicks;
  steps_ += kTicks;
  if (request_.step_limit != 0 && steps_ > request_.step_limit) {
    return FailEvaluation("eval_cancel_error", "step limit reached", nullptr);
  }
  const std::size_t used = request_.arena->used_bytes() + scratch_bytes_ +
                           (arena_ == request_.arena ? 0 : arena_->used_bytes()) +
                           collected_.capacity() * sizeof(Value);
  if (used > request_.arena->limit_bytes()) {
    return FailEvaluation("eval_cancel_error", "memory limit reached", nullptr);
  }
  if (request_.deadline != std::chrono::steady_clock::time_point::max() &&
      request_.clock->Now() >= request_.deadline) {
    return FailEvaluation("eval_cancel_error", "caller cancelled query execution", nullptr);
  }
  return true;
}

bool Evaluator::FailEvaluation(std::string_view code, std::string message,
                               const Location* location) {
  if (!failed_) {
    failed_ = true;
    error_ = EvaluationError{.code = std::string(code),
                             .message = std::move(message),
                             .location = location == nullptr ? Location{} : *location};
  }
  return false;
}

bool Evaluator::FailEngine(Error error) {
  if (!failed_) {
    failed_ = true;
    engine_error_ = std::move(error);
  }
  return false;
}

Signal Evaluator::RunBlock(const Block& block, Value* slots) {
  const std::uint64_t yields = yields_;
  const Signal signal = Run(block.steps.data(), slots);
  yields_ = yields;
  return signal;
}

Signal Evaluator::Run(const Step* step, Value* slots) {
  struct Depth {
    std::uint32_t& depth;
    ~Depth() { --depth; }
  } depth{depth_};
  if (++depth_ > kMostDepth) {
    FailEvaluation("eval_cancel_error", "rules and loops are nested too deeply", step->location);
    return Signal::kError;
  }
  for (;; ++step) {
    if (--ticks_ <= 0 && !CheckLimits()) [[unlikely]] {
      return Signal::kError;
    }
    switch (step->op) {
      case Op::kFail:
        return Signal::kContinue;
      case Op::kMove:
        slots[step->to] = Get(step->a, slots);
        break;
      case Op::kWalkInput:
      case Op::kWalk: {
        Value value = step->op == Op::kWalk ? Get(step->a, slots) : context_->input;
        for (const Operand key : step->operands) {
          value = ChildOf(value, Get(key, slots));
        }
        if (value.is_undefined()) {
          return Signal::kContinue;
        }
        slots[step->to] = value;
        break;
      }
      case Op::kWalkBase: {
        Value value = context_->data;
        for (const Operand key : step->operands) {
          value = BaseChild(value, Get(key, slots));
        }
        if (value.is_undefined()) {
          return Signal::kContinue;
        }
        slots[step->to] = value;
        break;
      }
      case Op::kEqual:
        if (!document::Equal(Get(step->a, slots), Get(step->b, slots))) {
          return Signal::kContinue;
        }
        break;
      case Op::kCompare:
        if (!context_->mocks) [[likely]] {
          const bool holds = Holds(step->comparison, Get(step->a, slots), Get(step->b, slots));
          if (step->to != kNoSlot) {
            slots[step->to] = Value::Boolean(holds);
          } else if (!holds) {
            return Signal::kContinue;
          }
          break;
        }
        [[fallthrough]];
      case Op::kBuiltin: {
        Value result;
        if (!CallBuiltin(*step, slots, &result)) {
          return Signal::kError;
        }
        if (result.is_undefined() || (step->to == kNoSlot && result.is_false())) {
          return Signal::kContinue;
        }
        if (step->to != kNoSlot) {
          slots[step->to] = result;
        }
        break;
      }
      case Op::kTrue:
        if (Get(step->a, slots).is_false()) {
          return Signal::kContinue;
        }
        break;
      case Op::kArray: {
        const auto items = arena_->AllocateArray<Value>(step->operands.size());
        for (std::size_t i = 0; i < items.size(); ++i) {
          items[i] = Get(step->operands[i], slots);
        }
        slots[step->to] = Value::Array(items);
        break;
      }
      case Op::kSet: {
        const std::size_t begin = collected_.size();
        for (const Operand operand : step->operands) {
          collected_.push_back(Get(operand, slots));
        }
        FinishSet(begin, &slots[step->to]);
        break;
      }
      case Op::kObject:
        slots[step->to] = MakeObject(*step, slots);
        break;
      case Op::kUnpackArray: {
        const Value& value = Get(step->a, slots);
        const auto count = static_cast<std::uint32_t>(step->to2);
        if (!value.is_array() || value.size() != count) {
          return Signal::kContinue;
        }
        const Value array = value;
        for (std::uint32_t i = 0; i < count; ++i) {
          slots[step->to + static_cast<Slot>(i)] = array.ItemAt(i);
        }
        break;
      }
      case Op::kUnpackObject: {
        const Value object = Get(step->a, slots);
        if (!object.is_object() || object.size() != step->operands.size()) {
          return Signal::kContinue;
        }
        Slot to = step->to;
        for (const Operand key : step->operands) {
          const Value value = object.Find(Get(key, slots));
          if (value.is_undefined()) {
            return Signal::kContinue;
          }
          slots[to++] = value;
        }
        break;
      }
      case Op::kCall: {
        Value result;
        if (!CallProcedure(*step, slots, &result)) {
          return FailAfterwards(*step, slots);
        }
        if (result.is_undefined() || (step->to == kNoSlot && result.is_false())) {
          return Signal::kContinue;
        }
        if (step->to != kNoSlot) {
          slots[step->to] = result;
        }
        break;
      }
      case Op::kNot:
        switch (RunBlock(*step->block, slots)) {
          case Signal::kContinue:
            break;
          case Signal::kStop:
            return Signal::kContinue;
          case Signal::kError:
            return Signal::kError;
        }
        break;
      case Op::kEvery: {
        bool holds = false;
        if (!Every(*step, slots, &holds)) {
          return Signal::kError;
        }
        if (!holds) {
          return Signal::kContinue;
        }
        break;
      }
      case Op::kBoth:
      case Op::kEither: {
        const Signal decided = step->op == Op::kBoth ? Signal::kContinue : Signal::kStop;
        Signal signal = RunBlock(*step->block, slots);
        if (signal != Signal::kError && signal != decided) {
          signal = RunBlock(*step->other_block, slots);
        }
        if (signal != Signal::kStop) {
          return signal;
        }
        break;
      }
      case Op::kArrayOf:
      case Op::kSetOf:
      case Op::kObjectOf:
        if (!Comprehension(*step, slots, &slots[step->to])) {
          return Signal::kError;
        }
        break;
      case Op::kPrint:
        if (request_.prints != nullptr && !Print(Get(step->a, slots))) {
          return Signal::kError;
        }
        break;

      case Op::kEach:
        return Each(*step, slots);
      case Op::kRelation:
        return Relation(*step, slots);
      case Op::kDocument:
        return Document(*step, slots);
      case Op::kInventory:
        return Inventory(*step, slots);
      case Op::kWith:
        return With(*step, slots);
      case Op::kWithEnd:
        return WithEnd(*step, slots);

      case Op::kYieldExists:
        ++yields_;
        return Signal::kStop;
      case Op::kYieldResult:
        return YieldResult(*step, slots);
      case Op::kYieldItem:
        ++yields_;
        collected_.push_back(Get(step->a, slots));
        return step->stop ? Signal::kStop : Signal::kContinue;
      case Op::kYieldMember:
        ++yields_;
        collected_.push_back(Get(step->a, slots));
        collected_.push_back(Get(step->b, slots));
        // Whom to name if two members conflict.
        collected_.push_back(
            Value::Int(static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(step))));
        return step->stop ? Signal::kStop : Signal::kContinue;
      case Op::kYieldGroup:
        ++yields_;
        for (const Operand key : step->operands) {
          collected_.push_back(Get(key, slots));
        }
        collected_.push_back(Get(step->a, slots));
        if (step->to == 1) {
          collected_.push_back(Get(step->b, slots));
          collected_.push_back(
              Value::Int(static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(step))));
        }
        return Signal::kContinue;
      case Op::kYieldPath: {
        ++yields_;
        const auto keys = arena_->AllocateArray<Value>(step->operands.size());
        for (std::size_t i = 0; i < keys.size(); ++i) {
          keys[i] = Get(step->operands[i], slots);
        }
        collected_.push_back(Value::Array(keys));
        collected_.push_back(Get(step->a, slots));
        collected_.push_back(
            Value::Int(static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(step))));
        return Signal::kContinue;
      }
      case Op::kYieldQuery:
        ++yields_;
        for (const Operand operand : step->operands) {
          collected_.push_back(Get(operand, slots));
        }
        collected_.push_back(Value::Null());
        return Signal::kContinue;
    }
  }
}

Signal Evaluator::Each(const Step& step, Value* slots) {
  const Value value = Get(step.a, slots);
  const std::uint32_t count = value.size();
  const bool is_object = value.is_object();
  const bool is_array = value.is_array();
  for (std::uint32_t i = 0; i < count; ++i) {
    if (is_object) {
      if (step.to != kNoSlot) {
        slots[step.to] = value.KeyAt(i);
      }
      if (step.to2 != kNoSlot) {
        slots[step.to2] = value.ValueAt(i);
      }
    } else {
      const Value item = value.ItemAt(i);
      if (step.to != kNoSlot) {
        slots[step.to] = is_array ? Value::Int(i) : item;
      }
      if (step.to2 != kNoSlot) {
        slots[step.to2] = item;
      }
    }
    if (const Signal signal = Run(&step + 1, slots); signal != Signal::kContinue) {
      return signal;
    }
  }
  return Signal::kContinue;
}

Signal Evaluator::Relation(const Step& step, Value* slots) {
  Value items;
  if (!CallBuiltin(step, slots, &items)) {
    return Signal::kError;
  }
  for (std::uint32_t i = 0; i < items.size(); ++i) {
    if (step.to != kNoSlot) {
      slots[step.to] = items.ItemAt(i);
    }
    if (const Signal signal = Run(&step + 1, slots); signal != Signal::kContinue) {
      return signal;
    }
  }
  return Signal::kContinue;
}

bool Evaluator::Every(const Step& step, Value* slots, bool* holds) {
  *holds = false;
  const Value domain = Get(step.a, slots);
  if (!domain.is_array() && !domain.is_object() && !domain.is_set()) {
    return true;
  }
  const std::uint32_t count = domain.size();
  for (std::uint32_t i = 0; i < count; ++i) {
    const Value item = domain.is_object() ? domain.ValueAt(i) : domain.ItemAt(i);
    if (step.to != kNoSlot) {
      slots[step.to] = domain.is_object()  ? domain.KeyAt(i)
                       : domain.is_array() ? Value::Int(i)
                                           : item;
    }
    if (step.to2 != kNoSlot) {
      slots[step.to2] = item;
    }
    switch (RunBlock(*step.block, slots)) {
      case Signal::kContinue:
        return true;
      case Signal::kStop:
        break;
      case Signal::kError:
        return false;
    }
  }
  *holds = true;
  return true;
}

bool Evaluator::Print(const Value& operands) {
  return AppendPrinted(operands, [this] { return CheckLimits(); }, request_.prints);
}

bool Evaluator::CallBuiltin(const Step& step, Value* slots, Value* result) {
  const Operand pair[2] = {step.a, step.b};
  const std::span<const Operand> operands =
      step.op == Op::kCompare ? std::span<const Operand>(pair) : step.operands;
  Value few[kInlineArguments];
  Value* arguments = operands.size() <= kInlineArguments
                         ? few
                         : arena_->AllocateArray<Value>(operands.size()).data();
  for (std::size_t i = 0; i < operands.size(); ++i) {
    arguments[i] = Get(operands[i], slots);
  }
  const std::span<const Value> values(arguments, operands.size());
  for (const Context::Mock* mock = context_->mocks; mock != nullptr; mock = mock->next) {
    if (mock->mock->builtin == step.builtin) {
      return CallMock(*mock, values, step.location, result);
    }
  }
  return Invoke(*step.builtin, values, step.location, result);
}

bool Evaluator::Invoke(const builtins::Builtin& builtin, std::span<const Value> arguments,
                       const Location* location, Value* result) {
  *result = builtin.function(*call_, arguments);
  if (call_->failure == builtins::FailureKind::kNone) [[likely]] {
    return true;
  }
  const builtins::FailureKind failure = std::exchange(call_->failure, builtins::FailureKind::kNone);
  *result = Value();
  if (failure == builtins::FailureKind::kHalt) {
    return FailEvaluation("eval_cancel_error", std::move(call_->failure_message), location);
  }
  if (request_.strict_builtin_errors && !builtin_error_) {
    builtin_error_ = EvaluationError{
        .code = failure == builtins::FailureKind::kType ? "eval_type_error" : "eval_builtin_error",
        .message = std::string(builtin.name) + ": " + call_->failure_message,
        .location = location == nullptr ? Location{} : *location};
  }
  return true;
}

bool Evaluator::CallProcedure(const Step& step, Value* slots, Value* result) {
  Value few[kInlineArguments];
  const std::size_t count = step.operands.size();
  Value* arguments = count <= kInlineArguments ? few : arena_->AllocateArray<Value>(count).data();
  for (std::size_t i = 0; i < count; ++i) {
    arguments[i] = Get(step.operands[i], slots);
  }
  const std::span<const Value> values(arguments, count);
  if (step.procedure->is_function) {
    for (const Context::Mock* mock = context_->mocks; mock != nullptr; mock = mock->next) {
      if (mock->mock->procedure == step.procedure) {
        return CallMock(*mock, values, step.location, result);
      }
    }
  }
  return Call(*step.procedure, values, !step.stop, result);
}

}  // namespace portcullis::rego
