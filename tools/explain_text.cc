#include "tools/explain_text.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "rules/rego/row_estimate.h"

namespace portcullis::tools {
namespace {

using nlohmann::ordered_json;

const policy::TemplateTime* FindActual(const ExplainRequest& request, const policy::Template& of) {
  const auto found = std::ranges::find(request.actual, &of, &policy::TemplateTime::of);
  return found == request.actual.end() ? nullptr : &*found;
}

Result<std::vector<const policy::Template*>> Select(const policy::PolicySet& policies,
                                                    const ExplainRequest& request) {
  std::vector<const policy::Template*> selected;
  std::vector<std::string> names;
  for (const policy::Template* each : policies.templates()) {
    names.push_back(each->kind);
    const bool wanted = request.name.empty()
                            ? request.actual.empty() || FindActual(request, *each) != nullptr
                            : each->kind == request.name || each->name == request.name;
    if (wanted) {
      selected.push_back(each);
    }
  }
  if (selected.empty() && !request.name.empty()) {
    return Fail(ErrorCode::kNotFound,
                fmt::format("no template {}; there are: {}", request.name,
                            names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
  }
  return selected;
}

double Microseconds(std::chrono::steady_clock::duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

std::string Many(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string BytesText(std::uint64_t bytes) {
  return bytes < 10240 ? Many(bytes, "byte", "bytes")
                       : fmt::format("{:.1f} KiB", static_cast<double>(bytes) / 1024);
}

// "1 look-up, 2 objects": what there was none of is left out.
std::string ReadsText(const rego::EvaluationStatistics& reads) {
  std::vector<std::string> parts;
  if (reads.gets != 0) {
    parts.push_back(Many(reads.gets, "get", "gets"));
  }
  if (reads.lookups != 0) {
    parts.push_back(Many(reads.lookups, "look-up", "look-ups"));
  }
  if (reads.scans != 0) {
    parts.push_back(Many(reads.scans, "scan", "scans"));
  }
  if (reads.objects_visited != 0) {
    parts.push_back(Many(reads.objects_visited, "object", "objects"));
  }
  return parts.empty() ? "nothing read" : fmt::format("{}", fmt::join(parts, ", "));
}

std::string EstimateText(const rego::RowEstimate& estimate) {
  const std::string rows =
      fmt::format("{:.{}f} row{}", estimate.rows,
                  estimate.rows == static_cast<double>(static_cast<std::uint64_t>(estimate.rows)) ||
                          estimate.rows >= 10
                      ? 0
                      : 1,
                  estimate.rows == 1 ? "" : "s");
  return estimate.at_most ? "at most " + rows : estimate.scans ? "scans " + rows : "about " + rows;
}

std::string ActualText(const rego::AccessCost& cost) {
  if (cost.runs == 0) {
    return "not reached";
  }
  return fmt::format("{}: {}, {}, {}, {:.1f} us", Many(cost.runs, "run", "runs"),
                     ReadsText(cost.reads), Many(cost.rows, "row", "rows"), BytesText(cost.bytes),
                     Microseconds(cost.time));
}

const rego::AccessCost* CostOf(const policy::TemplateTime* actual, const rego::PlanStep& step) {
  return actual != nullptr && step.access && *step.access < actual->accesses.size()
             ? &actual->accesses[*step.access]
             : nullptr;
}

std::string StepText(const rego::PlanStep& step, const ExplainRequest& request,
                     const policy::TemplateTime* actual) {
  std::string text = fmt::format("    {:{}}{}", "", step.depth * 2, step.text);
  if (!step.access_path.empty()) {
    std::vector<std::string> indexes;
    for (const index::Definition& definition : step.indexes) {
      indexes.push_back(definition.Summary());
    }
    text += fmt::format("   [{}{}{}]", step.access_path, indexes.empty() ? "" : " in ",
                        fmt::join(indexes, " or "));
  }
  if (request.inventory != nullptr) {
    if (const auto estimate = rego::EstimateRows(step, *request.inventory)) {
      text += "   " + EstimateText(*estimate);
    }
  }
  if (const rego::AccessCost* cost = CostOf(actual, step)) {
    text += "   {" + ActualText(*cost) + "}";
  }
  if (!step.reason.empty()) {
    text += fmt::format("   ({})", step.reason);
  }
  return text + '\n';
}

std::string TemplateText(const policy::Template& of, const ExplainRequest& request) {
  const policy::TemplateTime* actual = FindActual(request, of);
  std::string text = of.kind;
  if (actual != nullptr) {
    text += fmt::format("   {{{}: {}, {:.1f} us}}",
                        Many(actual->constraints, "constraint", "constraints"),
                        ReadsText(actual->statistics), Microseconds(actual->runtime));
  }
  text += '\n';
  for (const rego::RuleExplanation& rule : of.plan->Explain()) {
    text += fmt::format("  {}\n", rule.rule);
    for (const rego::PlanStep& step : rule.steps) {
      text += StepText(step, request, actual);
    }
  }
  const std::vector<index::Definition>& wanted = of.plan->wanted_indexes();
  if (wanted.empty()) {
    text += of.reads_inventory() ? "  asks for no index\n" : "  reads no inventory\n";
  }
  for (const index::Definition& definition : wanted) {
    text += fmt::format("  asks for the index {}\n", definition.Summary());
  }
  for (const policy::DeclaredIndex& each : of.declared_indexes) {
    text += fmt::format("  declares the index {}{}\n", each.definition.Summary(),
                        each.used ? "" : ", which no condition uses: it is not built");
  }
  return text;
}

ordered_json ReadsJson(const rego::EvaluationStatistics& reads) {
  return {{"gets", reads.gets},
          {"lookups", reads.lookups},
          {"scans", reads.scans},
          {"objects", reads.objects_visited}};
}

ordered_json StepJson(const rego::PlanStep& step, const ExplainRequest& request,
                      const policy::TemplateTime* actual) {
  ordered_json line = {{"depth", step.depth}, {"text", step.text}};
  if (!step.access_path.empty()) {
    line["accessPath"] = step.access_path;
  }
  for (const index::Definition& definition : step.indexes) {
    line["indexes"].push_back(definition.ToString());
  }
  if (request.inventory != nullptr) {
    if (const auto estimate = rego::EstimateRows(step, *request.inventory)) {
      line["estimate"] = {
          {"rows", estimate->rows}, {"atMost", estimate->at_most}, {"scans", estimate->scans}};
    }
  }
  if (const rego::AccessCost* cost = CostOf(actual, step)) {
    ordered_json of_step = {{"runs", cost->runs}};
    of_step.update(ReadsJson(cost->reads));
    of_step["rows"] = cost->rows;
    of_step["bytes"] = cost->bytes;
    of_step["microseconds"] = Microseconds(cost->time);
    line["actual"] = std::move(of_step);
  }
  if (!step.reason.empty()) {
    line["reason"] = step.reason;
  }
  return line;
}

ordered_json TemplateJson(const policy::Template& of, const ExplainRequest& request) {
  const policy::TemplateTime* actual = FindActual(request, of);
  ordered_json rules = ordered_json::array();
  for (const rego::RuleExplanation& rule : of.plan->Explain()) {
    ordered_json steps = ordered_json::array();
    for (const rego::PlanStep& step : rule.steps) {
      steps.push_back(StepJson(step, request, actual));
    }
    rules.push_back({{"rule", rule.rule}, {"steps", std::move(steps)}});
  }
  ordered_json wanted = ordered_json::array();
  for (const index::Definition& definition : of.plan->wanted_indexes()) {
    wanted.push_back(definition.ToString());
  }
  ordered_json json = {{"template", of.kind},
                       {"readsInventory", of.reads_inventory()},
                       {"rules", std::move(rules)},
                       {"indexes", std::move(wanted)}};
  for (const policy::DeclaredIndex& each : of.declared_indexes) {
    json["declaredIndexes"].push_back(
        {{"definition", each.definition.ToString()}, {"text", each.text}, {"used", each.used}});
  }
  if (actual != nullptr) {
    json["actual"] = {{"constraints", actual->constraints}};
    json["actual"].update(ReadsJson(actual->statistics));
    json["actual"]["microseconds"] = Microseconds(actual->runtime);
  }
  return json;
}

}  // namespace

Result<std::string> Explain(const policy::PolicySet& policies, const ExplainRequest& request) {
  ordered_json json = ordered_json::array();
  std::string text;
  for (const policy::Template* each : TRY(Select(policies, request))) {
    if (request.json) {
      json.push_back(TemplateJson(*each, request));
    } else {
      text += (text.empty() ? "" : "\n") + TemplateText(*each, request);
    }
  }
  return request.json ? json.dump(2) + '\n' : text;
}

}  // namespace portcullis::tools
