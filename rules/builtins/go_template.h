// Go's text/template: what strings.render_template renders. SOURCE: Go's documentation of text/template.

#pragma once

#include <complex>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/builtins/builtin.h"

namespace portcullis::builtins {

// A part of a template. Which members mean something depends on the kind.
struct TemplateNode {
  enum class Kind : std::uint8_t {
    kText,      // text
    kAction,    // pipe
    kIf,        // pipe, list, other
    kRange,     // pipe, list, other
    kWith,      // pipe, list, other
    kTemplate,  // name, pipe (may be absent), text: the name in quotes
    kBreak,
    kContinue,
    kEnd,
    kElse,
    kList,        // items
    kPipe,        // declared, assigns, items: the commands
    kCommand,     // items: a function or value and its operands
    kIdentifier,  // text
    kDot,
    kNil,
    kField,     // names
    kVariable,  // names: "$x" and fields
    kChain,     // pipe: what stands before the fields; names
    kBool,      // truth
    kNumber,    // text, and the forms it can take
    kString,    // text: as written; name: its value
  };
  using Owned = std::unique_ptr<TemplateNode>;

  Kind kind = Kind::kText;
  std::size_t position = 0;  // In the template's text.
  std::string text = {};
  std::string name = {};
  std::vector<std::string> names = {};
  std::vector<Owned> items = {};
  std::vector<std::string> declared = {};
  bool assigns = false;
  bool truth = false;
  Owned pipe = {};
  Owned list = {};
  Owned other = {};
  std::optional<std::int64_t> integer = {};
  std::optional<double> real = {};
  std::optional<std::complex<double>> complex = {};
  bool beyond_int = false;  // A whole number that only an unsigned one holds.
};

// As Go prints the part in its errors.
[[nodiscard]] std::string TemplateText(const TemplateNode& node);

struct ParsedTemplate {
  std::string text;
  // The lists of items of the templates that it defines; itself under kTemplateName.
  std::map<std::string, TemplateNode::Owned, std::less<>> trees;
};
inline constexpr std::string_view kTemplateName = "template";

// ERRORS: Go's text, "template: template:1: …".
[[nodiscard]] std::expected<ParsedTemplate, std::string> ParseGoTemplate(std::string_view text);

// Nothing after a failure in `context`, whose deadline and memory limit are kept. REQUIRES: `data` is an object of what JSON
// can hold, whose numbers are Go's json.Number.
[[nodiscard]] std::optional<std::string> ExecuteGoTemplate(CallContext& context,
                                                           const ParsedTemplate& parsed,
                                                           const Value& data);

// The functions that every template has.
[[nodiscard]] bool IsTemplateFunction(std::string_view name);

}  // namespace portcullis::builtins
