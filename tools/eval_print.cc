#include "tools/eval_print.h"

#include <algorithm>
#include <limits>

#include "document/json.h"
#include "rules/rego/ast_json.h"

namespace portcullis::tools {
namespace {

using document::Value;

GoJson JsonOf(const Value& value) {
  return GoJson::Of(value, Floats::kRego);
}

GoJson BindingsJson(const EvalSolution& solution) {
  GoJson json = GoJson::Struct();
  for (const auto& [name, value] : solution.bindings) {
    json.Add(name, JsonOf(value));
  }
  return json;
}

GoJson ResultJson(const EvalOutput& output) {
  GoJson result = GoJson::List();
  for (const EvalSolution& solution : output.solutions) {
    GoJson expressions = GoJson::List();
    for (std::size_t i = 0; i < output.expressions.size(); ++i) {
      const rego::QueryExpression& expression = output.expressions[i];
      GoJson location = GoJson::Struct();
      location.Add("row", GoJson::Number(expression.row))
          .Add("col", GoJson::Number(expression.column));
      GoJson one = GoJson::Struct();
      one.Add("value", JsonOf(solution.expressions[i]))
          .Add("text", GoJson::Text(expression.text))
          .Add("location", location);
      expressions.Append(one);
    }
    GoJson one = GoJson::Struct();
    one.Add("expressions", expressions);
    if (!solution.bindings.empty()) {
      one.Add("bindings", BindingsJson(solution));
    }
    result.Append(one);
  }
  return result;
}

GoJson ProfileJson(const std::vector<EvalOutput::ProfiledLine>& profile) {
  GoJson list = GoJson::List();
  for (const EvalOutput::ProfiledLine& shown : profile) {
    const rego::trace::ProfiledLine& line = shown.line;
    GoJson location = GoJson::Struct();
    location.Add("file", GoJson::Text(line.file))
        .Add("row", GoJson::Number(line.row))
        .Add("col", GoJson::Number(line.column));
    GoJson one = GoJson::Struct();
    one.Add("total_time_ns", GoJson::Number(line.total_time_ns))
        .Add("num_eval", GoJson::Number(static_cast<std::int64_t>(line.num_eval)))
        .Add("num_redo", GoJson::Number(static_cast<std::int64_t>(line.num_redo)))
        .Add("num_gen_expr", GoJson::Number(static_cast<std::int64_t>(line.num_gen_expr)))
        .Add("location", location);
    list.Append(one);
  }
  return list;
}

GoJson OutputJson(const EvalOutput& output) {
  GoJson json = GoJson::Struct();
  if (!output.errors.empty()) {
    json.Add("errors", ReportJson(output.errors));
  }
  if (!output.solutions.empty()) {
    json.Add("result", ResultJson(output));
  }
  GoJson metrics = GoJson::Struct();
  for (const auto& [name, value] : output.metrics) {
    metrics.Add(name, GoJson::Number(value));
  }
  if (!metrics.empty()) {
    json.Add("metrics", metrics);
  }
  if (output.explanation != nullptr && !output.explanation->empty()) {
    json.Add("explanation", GoJson::Raw(output.explanation->Json()));
  }
  if (!output.profile.empty()) {
    json.Add("profile", ProfileJson(output.profile));
  }
  return json;
}

// As a map of whatever the JSON holds: members by name, numbers as Go's float64.
std::string DiscardText(EvalOutput output) {
  const bool defined = !output.solutions.empty();
  output.solutions.clear();
  document::Arena arena;
  GoJson json = OutputJson(output);
  if (defined) {
    json.Add("result", GoJson::Text("discarded"));
  }
  const Result<Value> value =
      document::ParseJson(json.Compact(), arena, {.numbers = document::NumberMode::kFloat64});
  return value ? GoJson::Of(*value).Indented(2) + "\n" : value.error().ToString() + "\n";
}

std::string RawText(const EvalOutput& output) {
  std::string text;
  for (const EvalSolution& solution : output.solutions) {
    for (std::size_t i = 0; i < solution.expressions.size(); ++i) {
      const Value& value = solution.expressions[i];
      text += value.is_string() ? std::string(value.string()) : JsonOf(value).Compact();
      text += i + 1 < solution.expressions.size() ? ' ' : '\n';
    }
  }
  return text;
}

std::string ValuesText(const EvalOutput& output) {
  std::string text;
  for (const EvalSolution& solution : output.solutions) {
    GoJson line = GoJson::List();
    for (const Value& value : solution.expressions) {
      line.Append(JsonOf(value));
    }
    text += line.Indented(2) + "\n";
  }
  return text;
}

std::string BindingsText(const EvalOutput& output) {
  std::string text;
  for (const EvalSolution& solution : output.solutions) {
    text += BindingsJson(solution).Indented(2) + "\n";
  }
  return text;
}

// A column of the table: a variable, or an expression with a value worth a column.
std::string ResultTable(const EvalOutput& output) {
  const EvalSolution& first = output.solutions.front();
  std::vector<std::string> header;
  std::vector<std::size_t> shown;
  for (std::size_t i = 0; i < first.expressions.size(); ++i) {
    if (!first.expressions[i].is_boolean() || first.bindings.empty()) {
      header.push_back(output.expressions[i].text);
      shown.push_back(i);
    }
  }
  for (const auto& [name, value] : first.bindings) {
    header.push_back(name);
  }
  std::vector<std::vector<std::string>> rows;
  for (const EvalSolution& solution : output.solutions) {
    std::vector<std::string>& row = rows.emplace_back();
    for (const std::size_t i : shown) {
      row.push_back(JsonOf(solution.expressions[i]).Compact());
    }
    for (const auto& [name, value] : solution.bindings) {
      row.push_back(JsonOf(value).Compact());
    }
  }
  return TableText(header, rows);
}

std::string PrettyResult(const EvalOutput& output) {
  if (output.solutions.empty()) {
    return "undefined\n";
  }
  const EvalSolution& first = output.solutions.front();
  const bool one = output.solutions.size() == 1 && first.bindings.empty();
  if (one && (first.expressions.size() == 1 ||
              std::ranges::all_of(first.expressions,
                                  [](const Value& value) { return value.is_boolean(); }))) {
    return JsonOf(first.expressions.front()).Indented(2) + "\n";
  }
  return ResultTable(output);
}

// Without zeros at the end. REQUIRES: `unit` is a power of ten.
std::string Fraction(std::int64_t value, std::int64_t unit) {
  std::string rest = std::to_string(value % unit + unit).substr(1);
  rest.erase(rest.find_last_not_of('0') + 1);
  return std::to_string(value / unit) + (rest.empty() ? "" : "." + rest);
}

// As Go prints a time.Duration: 1.5ms, 53.75µs, 1m2.5s.
std::string DurationText(std::int64_t nanoseconds) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  std::string text;
  if (nanoseconds >= 60 * kSecond) {
    const std::int64_t minutes = nanoseconds / (60 * kSecond);
    text = (minutes >= 60 ? std::to_string(minutes / 60) + "h" : "") +
           std::to_string(minutes % 60) + "m";
    nanoseconds %= 60 * kSecond;
  } else if (nanoseconds < kSecond) {
    const bool micro = nanoseconds < 1'000'000;
    if (nanoseconds < 1000) {
      return nanoseconds == 0 ? "0s" : std::to_string(nanoseconds) + "ns";
    }
    return Fraction(nanoseconds, micro ? 1000 : 1'000'000) + (micro ? "µs" : "ms");
  }
  return text + Fraction(nanoseconds, kSecond) + "s";
}

std::string ProfileTable(const std::vector<EvalOutput::ProfiledLine>& profile) {
  std::vector<std::vector<std::string>> rows;
  for (const EvalOutput::ProfiledLine& shown : profile) {
    rows.push_back({DurationText(shown.line.total_time_ns), std::to_string(shown.line.num_eval),
                    std::to_string(shown.line.num_redo), std::to_string(shown.line.num_gen_expr),
                    shown.place});
  }
  return TableText({"Time", "Num Eval", "Num Redo", "Num Gen Expr", "Location"}, rows);
}

EvalText PrettyText(const EvalOutput& output) {
  EvalText text;
  if (output.explanation != nullptr) {
    text.out = output.explanation->Text(rego::trace::Places::kShow, rego::trace::Quotes::kPlain);
  }
  if (output.errors.empty()) {
    text.out += PrettyResult(output);
  } else {
    text.err = ReportText(output.errors) + "\n";
  }
  if (!output.metrics.empty()) {
    std::vector<std::vector<std::string>> rows;
    for (const auto& [name, value] : output.metrics) {
      rows.push_back({name, std::to_string(value)});
    }
    text.out += TableText({"Metric", "Value"}, rows);
  }
  if (!output.profile.empty()) {
    text.out += ProfileTable(output.profile);
  }
  return text;
}

// How many columns of a terminal a text takes: its characters.
std::size_t WidthOf(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string Repeated(std::string_view text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) {
    all += text;
  }
  return all;
}

std::string Rule(const std::vector<std::size_t>& widths, std::string_view left,
                 std::string_view middle, std::string_view right) {
  std::string line(left);
  for (std::size_t i = 0; i < widths.size(); ++i) {
    line += i > 0 ? middle : "";
    line += Repeated("─", widths[i] + 2);
  }
  return line + std::string(right) + "\n";
}

}  // namespace

std::string TableText(const std::vector<std::string>& header,
                      const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < header.size(); ++i) {
    std::size_t width = WidthOf(header[i]);
    for (const std::vector<std::string>& row : rows) {
      width = std::max(width, WidthOf(row[i]));
    }
    widths.push_back(width);
  }
  std::string text = Rule(widths, "┌", "┬", "┐") + "│";
  for (std::size_t i = 0; i < header.size(); ++i) {
    const std::size_t room = widths[i] - WidthOf(header[i]);
    text +=
        std::string(1 + room / 2, ' ') + header[i] + std::string(room - room / 2 + 1, ' ') + "│";
  }
  text += "\n" + Rule(widths, "├", "┼", "┤");
  for (const std::vector<std::string>& row : rows) {
    text += "│";
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += " " + row[i] + std::string(widths[i] - WidthOf(row[i]) + 1, ' ') + "│";
    }
    text += "\n";
  }
  return text + Rule(widths, "└", "┴", "┘");
}

EvalText PrintEval(const EvalOutput& output, EvalFormat format) {
  if (format == EvalFormat::kJson) {
    return {.out = OutputJson(output).Indented(2) + "\n", .err = {}};
  }
  if (format == EvalFormat::kDiscard) {
    return {.out = DiscardText(output), .err = {}};
  }
  if (format == EvalFormat::kPretty) {
    return PrettyText(output);
  }
  if (!output.errors.empty()) {
    return {.out = {}, .err = ReportText(output.errors) + "\n"};
  }
  const std::string text = format == EvalFormat::kRaw      ? RawText(output)
                           : format == EvalFormat::kValues ? ValuesText(output)
                                                           : BindingsText(output);
  return {.out = text, .err = {}};
}

}  // namespace portcullis::tools
