#include <algorithm>
#include <utility>

#include "rules/rego/trace/trace.h"

namespace portcullis::rego::trace {
namespace {

struct Criterion {
  std::string_view name;
  std::strong_ordering (*compare)(const ProfiledLine& a, const ProfiledLine& b);
};

// Greatest first.
constexpr Criterion kCriteria[] = {
    {"total_time_ns", [](const ProfiledLine& a,
                         const ProfiledLine& b) { return b.total_time_ns <=> a.total_time_ns; }},
    {"num_eval",
     [](const ProfiledLine& a, const ProfiledLine& b) { return b.num_eval <=> a.num_eval; }},
    {"num_redo",
     [](const ProfiledLine& a, const ProfiledLine& b) { return b.num_redo <=> a.num_redo; }},
    {"num_gen_expr", [](const ProfiledLine& a,
                        const ProfiledLine& b) { return b.num_gen_expr <=> a.num_gen_expr; }},
    {"file", [](const ProfiledLine& a, const ProfiledLine& b) { return b.file <=> a.file; }},
    {"line", [](const ProfiledLine& a, const ProfiledLine& b) { return b.row <=> a.row; }},
};

}  // namespace

bool Profile::Add(const Event& event) {
  if ((event.op != Op::kEval && event.op != Op::kRedo) || event.kind != NodeKind::kExpr) {
    return true;
  }
  const auto now = clock_.Now();
  Finish(now);
  running_ = true;
  since_ = now;
  op_ = event.op;
  location_ = event.expr_location;
  index_ = event.expr_index;
  return true;
}

void Profile::Finish(std::chrono::steady_clock::time_point now) {
  if (!std::exchange(running_, false)) {
    return;
  }
  const std::string file = location_.file ? *location_.file : std::string();
  Hit& hit = hits_[{file, location_.row}];
  if (hit.indexes.empty()) {
    hit.line.file = file;
    hit.line.row = location_.row;
    hit.line.column = location_.column;
    hit.line.offset = location_.offset;
    hit.line.length = location_.length;
  }
  hit.line.total_time_ns +=
      std::chrono::duration_cast<std::chrono::nanoseconds>(now - since_).count();
  ++(op_ == Op::kEval ? hit.line.num_eval : hit.line.num_redo);
  hit.indexes.insert(index_);
}

bool Profile::IsCriterion(std::string_view name) {
  return std::ranges::find(kCriteria, name, &Criterion::name) != std::end(kCriteria);
}

std::vector<ProfiledLine> Profile::Lines(std::size_t limit,
                                         const std::vector<std::string>& criteria) {
  Finish(clock_.Now());
  std::vector<ProfiledLine> lines;
  for (auto& [place, hit] : hits_) {
    hit.line.num_gen_expr = hit.indexes.size();
    lines.push_back(hit.line);
  }
  std::ranges::stable_sort(lines, [&](const ProfiledLine& a, const ProfiledLine& b) {
    for (const std::string& name : criteria) {
      const auto found = std::ranges::find(kCriteria, name, &Criterion::name);
      if (found == std::end(kCriteria)) {
        continue;
      }
      if (const std::strong_ordering order = found->compare(a, b); order != 0) {
        return order < 0;
      }
    }
    return false;
  });
  if (limit != 0 && lines.size() > limit) {
    lines.resize(limit);
  }
  return lines;
}

}  // namespace portcullis::rego::trace
