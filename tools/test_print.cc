#include "tools/test_print.h"

#include <string_view>

#include <fmt/format.h>

#include "document/json.h"
#include "document/yaml.h"
#include "rules/policy/kubernetes_text.h"
#include "tools/go_json.h"

namespace portcullis::tools {
namespace {

using document::Value;

constexpr std::string_view kTarget = "admission.k8s.gatekeeper.sh";

Value Strings(const std::vector<std::string>& texts, document::Arena& arena) {
  document::ArrayBuilder items(arena);
  for (const std::string& text : texts) {
    items.Add(Value::String(arena.CopyString(text)));
  }
  return items.Finish();
}

// `details` as metadata; undefined where there are none.
Value Metadata(const TestResult& result, document::Arena& arena) {
  if (result.details.is_undefined()) {
    return {};
  }
  document::ObjectBuilder metadata(arena);
  metadata.Add("details", result.details);
  return metadata.Finish();
}

std::int64_t Nanoseconds(const TestStatistics& entry) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(entry.runtime).count();
}

GoJson StatisticsJson(const TestStatisticsShown& shown) {
  GoJson list = GoJson::List();
  for (const TestStatistics& entry : *shown.statistics) {
    GoJson source = GoJson::Struct();
    source.Add("type", GoJson::Text("engine")).Add("value", GoJson::Text("Rego"));
    GoJson run_time = GoJson::Struct();
    run_time.Add("name", GoJson::Text("templateRunTimeNS"))
        .Add("value", GoJson::Number(Nanoseconds(entry)))
        .Add("source", source);
    GoJson count = GoJson::Struct();
    count.Add("name", GoJson::Text("constraintCount"))
        .Add("value", GoJson::Number(static_cast<std::int64_t>(entry.constraints)))
        .Add("source", source);
    GoJson stats = GoJson::List();
    stats.Append(run_time).Append(count);
    GoJson labels = GoJson::List();
    const auto label = [&labels](std::string_view name, const GoJson& value) {
      GoJson one = GoJson::Struct();
      one.Add("name", GoJson::Text(name)).Add("value", value);
      labels.Append(one);
    };
    label("TracingEnabled", GoJson::Boolean(!shown.trace.empty()));
    label("PrintEnabled", GoJson::Boolean(shown.prints_kept));
    label("target", GoJson::Text(kTarget));
    if (!entry.implied_by.empty()) {
      label("Implied by", GoJson::Text(entry.implied_by));
    }
    GoJson one = GoJson::Struct();
    one.Add("scope", GoJson::Text("template"))
        .Add("statsFor", GoJson::Text(entry.kind))
        .Add("stats", stats)
        .Add("labels", labels);
    list.Append(one);
  }
  return list;
}

GoJson ResultsJson(const std::vector<TestResult>& results, std::string_view trace,
                   document::Arena& arena) {
  if (results.empty()) {
    return GoJson::Null();
  }
  GoJson list = GoJson::List();
  for (const TestResult& result : results) {
    GoJson one = GoJson::Struct();
    one.Add("target", GoJson::Text(kTarget));
    if (!result.message.empty()) {
      one.Add("msg", GoJson::Text(result.message));
    }
    if (const Value metadata = Metadata(result, arena); metadata.is_defined()) {
      one.Add("metadata", GoJson::Of(metadata));
    }
    one.Add("constraint", GoJson::Of(result.constraint));
    if (!result.enforcement_action.empty()) {
      one.Add("enforcementAction", GoJson::Text(result.enforcement_action));
    }
    if (!result.scoped_actions.empty()) {
      one.Add("scopedActions", GoJson::Of(Strings(result.scoped_actions, arena)));
    }
    one.Add("violatingObject", GoJson::Of(result.object))
        .Add("trace", trace.empty() ? GoJson::Null() : GoJson::Text(trace));
    list.Append(one);
  }
  return list;
}

// What follows "- " or stands in braces, from the fields in the order of Go's structs.
struct YamlResult {
  Value metadata;
  Value constraint;
  Value scoped_actions;
};

YamlResult YamlFields(const TestResult& result, document::Arena& arena) {
  const Value metadata = Metadata(result, arena);
  document::ObjectBuilder constraint(arena);
  constraint.Add("object", result.constraint);
  return {.metadata = metadata.is_defined() ? document::WithFloatNumbers(metadata, arena)
                                            : Value::Object({}),
          .constraint = constraint.Finish(),
          .scoped_actions = Strings(result.scoped_actions, arena)};
}

std::string TraceYaml(std::string_view trace) {
  return trace.empty() ? "null" : document::ToVersion3Flow(Value::String(trace));
}

// The first result of a list is printed in lines. A trait of gator's printer makes all others one line each.
void AppendBlock(const TestResult& result, std::string_view trace, std::size_t indent,
                 std::string* out, document::Arena& arena) {
  const YamlResult fields = YamlFields(result, arena);
  constexpr std::size_t kStep = 4;
  const std::size_t inner = indent + kStep;
  *out += std::string(indent, ' ') + "- result:\n";
  const std::size_t at = (inner / kStep) * kStep;
  document::AppendVersion3Member("target", Value::String(kTarget), at, out);
  document::AppendVersion3Member("msg", Value::String(result.message), at, out);
  document::AppendVersion3Member("metadata", fields.metadata, at, out);
  document::AppendVersion3Member("constraint", fields.constraint, at, out);
  document::AppendVersion3Member("enforcementaction", Value::String(result.enforcement_action), at,
                                 out);
  document::AppendVersion3Member("scopedenforcementactions", fields.scoped_actions, at, out);
  document::AppendVersion3Member("violatingObject",
                                 document::WithFloatNumbers(result.object, arena), indent + 2, out);
  *out += std::string(indent + 2, ' ') + "trace: " + TraceYaml(trace) + "\n";
}

void AppendFlow(const TestResult& result, std::string_view trace, std::size_t indent,
                std::string* out, document::Arena& arena) {
  const YamlResult fields = YamlFields(result, arena);
  const auto flow = [](const Value& value) { return document::ToVersion3Flow(value); };
  *out += std::string(indent, ' ') +
          fmt::format(
              "- {{result: {{target: {}, msg: {}, metadata: {}, constraint: {}, "
              "enforcementaction: {}, scopedenforcementactions: {}}}, violatingObject: {}, trace: "
              "{}}}\n",
              kTarget, flow(Value::String(result.message)), flow(fields.metadata),
              flow(fields.constraint), flow(Value::String(result.enforcement_action)),
              flow(fields.scoped_actions), flow(document::WithFloatNumbers(result.object, arena)),
              TraceYaml(trace));
}

void AppendStatisticsYaml(const TestStatisticsShown& shown, std::string* out) {
  *out += "stats:";
  *out += shown.statistics->empty() ? " []\n" : "\n";
  const auto number = [](std::int64_t value) {
    return document::NumberText(Value::Float(static_cast<double>(value)));
  };
  for (const TestStatistics& entry : *shown.statistics) {
    *out += fmt::format("    - scope: template\n      statsfor: {}\n      stats:\n", entry.kind);
    for (const auto& [name, value] :
         {std::pair<std::string_view, std::int64_t>("templateRunTimeNS", Nanoseconds(entry)),
          {"constraintCount", static_cast<std::int64_t>(entry.constraints)}}) {
      *out += fmt::format(
          "        - name: {}\n          value: {}\n          source:\n            type: engine\n"
          "            value: Rego\n",
          name, number(value));
    }
    *out += fmt::format(
        "      labels:\n        - name: TracingEnabled\n          value: {}\n"
        "        - name: PrintEnabled\n          value: {}\n"
        "        - name: target\n          value: {}\n",
        !shown.trace.empty(), shown.prints_kept, kTarget);
    if (!entry.implied_by.empty()) {
      *out += fmt::format("        - name: Implied by\n          value: {}\n", entry.implied_by);
    }
  }
}

}  // namespace

std::string TestText(const std::vector<TestResult>& results, std::string_view trace) {
  std::string text;
  for (const TestResult& result : results) {
    const std::string_view name_space = result.object.GetString({"metadata", "namespace"});
    text +=
        fmt::format("{}/{} {}{}{}: [{}] Message: {}\n", result.object.GetString({"apiVersion"}),
                    result.object.GetString({"kind"}), name_space, name_space.empty() ? "" : "/",
                    result.object.GetString({"metadata", "name"}),
                    policy::Quote(result.constraint.GetString({"metadata", "name"})),
                    policy::Quote(result.message));
    if (!trace.empty()) {
      text += "Trace: ";
      text += trace;
    }
  }
  return text;
}

std::string TestJson(const std::vector<TestResult>& results, const TestStatisticsShown& shown) {
  document::Arena arena;
  GoJson json = ResultsJson(results, shown.trace, arena);
  if (shown.statistics != nullptr) {
    GoJson both = GoJson::Struct();
    both.Add("results", json).Add("stats", StatisticsJson(shown));
    json = both;
  }
  return json.Indented(4);
}

std::string TestYaml(const std::vector<TestResult>& results, const TestStatisticsShown& shown) {
  document::Arena arena;
  std::string text;
  std::size_t indent = 0;
  if (shown.statistics != nullptr) {
    text = results.empty() ? "results: []\n" : "results:\n";
    indent = 4;
  } else if (results.empty()) {
    text = "[]\n";
  }
  for (const TestResult& result : results) {
    if (&result == results.data()) {
      AppendBlock(result, shown.trace, indent, &text, arena);
    } else {
      AppendFlow(result, shown.trace, indent, &text, arena);
    }
  }
  if (shown.statistics != nullptr) {
    AppendStatisticsYaml(shown, &text);
  }
  return text;
}

}  // namespace portcullis::tools
