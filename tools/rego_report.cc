#include "tools/rego_report.h"

namespace portcullis::tools {

ReportedError ReportOf(const rego::Diagnostic& diagnostic) {
  return {.text = diagnostic.ToString(),
          .message = diagnostic.message,
          .code = diagnostic.code,
          .location = diagnostic.location,
          .details = diagnostic.details};
}

ReportedError ReportOf(const rego::EvaluationError& error) {
  const rego::Location& at = error.location;
  const bool in_query = at.row != 0 && (!at.file || at.file->empty());
  const std::string place =
      in_query ? std::to_string(at.row) + ":" + std::to_string(at.column) + ": " : "";
  return {.text = in_query ? place + error.code + ": " + error.message : error.ToString(),
          .message = error.message,
          .code = error.code,
          .location = at,
          .details = {}};
}

ReportedError ReportOf(const Error& error) {
  return {.text = error.ToString(),
          .message = error.ToString(),
          .code = {},
          .location = {},
          .details = {}};
}

std::vector<ReportedError> ReportOf(const std::vector<rego::Diagnostic>& errors) {
  std::vector<ReportedError> reported;
  for (const rego::Diagnostic& each : errors) {
    reported.push_back(ReportOf(each));
  }
  return reported;
}

std::string ReportText(const std::vector<ReportedError>& errors, std::string_view when) {
  std::string text = std::to_string(errors.size()) + (errors.size() == 1 ? " error" : " errors") +
                     " occurred" + std::string(when) + (errors.size() == 1 ? ": " : ":\n");
  for (const ReportedError& error : errors) {
    text += (&error == errors.data() ? "" : "\n") + error.text;
  }
  return text;
}

GoJson ReportJson(const std::vector<ReportedError>& errors) {
  GoJson list = GoJson::List();
  for (const ReportedError& error : errors) {
    GoJson one = GoJson::Struct();
    one.Add("message", GoJson::Text(error.message));
    if (!error.code.empty()) {
      one.Add("code", GoJson::Text(error.code));
    }
    if (error.location.row != 0) {
      GoJson location = GoJson::Struct();
      location.Add("file", GoJson::Text(error.location.file ? *error.location.file : ""))
          .Add("row", GoJson::Number(error.location.row))
          .Add("col", GoJson::Number(error.location.column));
      one.Add("location", location);
    }
    // Of a parse error: the line, and a line with a caret below the place.
    if (error.code == "rego_parse_error" && error.details.size() == 2) {
      GoJson details = GoJson::Struct();
      details.Add("line", GoJson::Text(error.details[0]))
          .Add("idx", GoJson::Number(static_cast<std::int64_t>(error.details[1].find('^'))));
      one.Add("details", details);
    }
    list.Append(one);
  }
  return list;
}

}  // namespace portcullis::tools
