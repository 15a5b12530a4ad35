// The evaluator's memory beside the request's arena, and its stack frames. Part of evaluator.h, for its sources only.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "document/arena.h"
#include "document/value.h"
#include "rules/builtins/builtin.h"
#include "rules/rego/evaluator.h"

namespace portcullis::rego {

[[nodiscard]] std::unique_ptr<builtins::CallContext> MakeCallContext(
    document::Arena& arena, builtins::PreparedCache& prepared, const EvaluationRequest& request);

struct Evaluator::Frame {
  std::size_t segment = 0;
  document::Value* top = nullptr;
  document::Value* end = nullptr;
};

struct Evaluator::Scratch {
  document::Arena arena;
  std::unique_ptr<builtins::CallContext> call;
};

// While it lives, each Begin()/End() pair encloses the work on one candidate of a scan. What that work makes goes to memory
// that End() gives back, unless something was yielded or kept meanwhile: then it stays for the whole evaluation.
// So a scan of a million objects that match nothing needs the memory of one.
class Evaluator::CandidateMemory {
 public:
  explicit CandidateMemory(Evaluator& evaluator) : evaluator_(evaluator) {}
  ~CandidateMemory();
  CandidateMemory(const CandidateMemory&) = delete;
  CandidateMemory& operator=(const CandidateMemory&) = delete;

  void Begin();
  void End();

 private:
  void Retire();

  Evaluator& evaluator_;
  std::unique_ptr<Scratch> scratch_;
  bool dirty_ = false;  // Holds what an earlier candidate left behind.
  std::uint64_t yields_ = 0;
  std::uint64_t keeps_ = 0;
  document::Arena* outer_arena_ = nullptr;
  builtins::CallContext* outer_call_ = nullptr;
};

}  // namespace portcullis::rego
