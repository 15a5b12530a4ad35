// The text of a template's parts, as Go prints them in its errors.

#include "rules/builtins/go_format.h"
#include "rules/builtins/go_template.h"
#include "rules/builtins/go_template_parser.h"

namespace portcullis::builtins {
namespace {

using Kind = TemplateNode::Kind;

std::string Joined(const std::vector<std::string>& names, std::string_view separator) {
  std::string text;
  for (const std::string& name : names) {
    text.append(text.empty() ? "" : separator).append(name);
  }
  return text;
}

std::string ControlText(const TemplateNode& node, std::string_view word) {
  std::string text =
      "{{" + std::string(word) + " " + TemplateText(*node.pipe) + "}}" + TemplateText(*node.list);
  if (node.other) {
    text.append("{{else}}").append(TemplateText(*node.other));
  }
  return text + "{{end}}";
}

}  // namespace

std::string QuotedInTemplate(std::string_view text) {
  std::string quoted;
  AppendGoQuoted(text, &quoted);
  return quoted;
}

std::string TemplateText(const TemplateNode& node) {
  const auto joined = [&](std::string_view separator) {
    std::string text;
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      const bool wrapped = node.kind == Kind::kCommand && node.items[i]->kind == Kind::kPipe;
      const std::string item = TemplateText(*node.items[i]);
      text.append(i == 0 ? "" : separator).append(wrapped ? "(" + item + ")" : item);
    }
    return text;
  };
  switch (node.kind) {
    case Kind::kText:
    case Kind::kIdentifier:
    case Kind::kNumber:
    case Kind::kString:
      return node.text;
    case Kind::kAction:
      return "{{" + TemplateText(*node.pipe) + "}}";
    case Kind::kIf:
      return ControlText(node, "if");
    case Kind::kRange:
      return ControlText(node, "range");
    case Kind::kWith:
      return ControlText(node, "with");
    case Kind::kTemplate:
      return "{{template " + QuotedInTemplate(node.name) +
             (node.pipe ? " " + TemplateText(*node.pipe) : "") + "}}";
    case Kind::kBreak:
      return "{{break}}";
    case Kind::kContinue:
      return "{{continue}}";
    case Kind::kEnd:
      return "{{end}}";
    case Kind::kElse:
      return "{{else}}";
    case Kind::kList:
      return joined("");
    case Kind::kPipe:
      return (node.declared.empty()
                  ? ""
                  : Joined(node.declared, ", ") + (node.assigns ? " = " : " := ")) +
             joined(" | ");
    case Kind::kCommand:
      return joined(" ");
    case Kind::kDot:
      return ".";
    case Kind::kNil:
      return "nil";
    case Kind::kField:
      return "." + Joined(node.names, ".");
    case Kind::kVariable:
      return Joined(node.names, ".");
    case Kind::kChain: {
      const std::string inner = TemplateText(*node.pipe);
      return (node.pipe->kind == Kind::kPipe ? "(" + inner + ")" : inner) + "." +
             Joined(node.names, ".");
    }
    case Kind::kBool:
      return node.truth ? "true" : "false";
  }
  return {};
}

}  // namespace portcullis::builtins
