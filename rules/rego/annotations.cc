#include "rules/rego/annotations.h"

#include <algorithm>
#include <optional>

#include "rules/rego/text.h"

namespace portcullis::rego {
namespace {

constexpr std::string_view kBlanks = " \t\n\v\f\r";

bool IsStart(const Comment& comment) {
  const std::size_t first = comment.text.find_first_not_of(kBlanks);
  return comment.location.column == 1 && first != std::string::npos &&
         std::string_view(comment.text).substr(first).starts_with("METADATA");
}

bool EndsBlock(const Comment& comment, const Comment& before) {
  return comment.location.column != 1 || comment.location.row != before.location.row + 1 ||
         IsStart(comment);
}

// A character as Go's %+q writes it.
std::string QuotedRune(std::string_view text) {
  int width = 0;
  const char32_t rune = DecodeRune(text, width);
  if (rune == '\'') {
    return "'\\''";
  }
  if (rune >= 0x20 && rune < 0x7F && rune != '\\') {
    return "'" + std::string(1, static_cast<char>(rune)) + "'";
  }
  constexpr std::string_view kShort = "\aa\bb\ff\nn\rr\tt\vv\\\\";
  for (std::size_t i = 0; i < kShort.size(); i += 2) {
    if (rune == static_cast<char32_t>(kShort[i])) {
      return std::string("'\\") + kShort[i + 1] + "'";
    }
  }
  const int digits = rune < 0x80 ? 2 : rune < 0x10000 ? 4 : 8;
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = digits == 2 ? "'\\x" : digits == 4 ? "'\\u" : "'\\U";
  for (int i = digits; i-- > 0;) {
    out += kHex[rune >> (4 * i) & 0xF];
  }
  return out + "'";
}

// A colon that no blank follows is often what is wrong.
std::string HintAt(const Comment& comment) {
  std::string symbols;
  std::size_t colon = comment.text.find(':');
  while (colon != std::string::npos) {
    const std::string_view rest = std::string_view(comment.text).substr(colon + 1);
    const bool empty = rest.empty() || rest.front() == ':';
    if (rest.empty() || (!empty && (rest.front() == ' ' || rest.front() == '\t'))) {
      break;
    }
    symbols += (symbols.empty() ? "" : " ") + (empty ? "'\\ufffd'" : QuotedRune(rest));
    colon = comment.text.find(':', colon + 1);
  }
  if (symbols.empty()) {
    return {};
  }
  return "\n  Hint: on line " + std::to_string(comment.location.row) + ", symbol(s) [" + symbols +
         "] immediately following a key/value separator ':' is not a legal yaml space character";
}

// The comments of one block; the first says METADATA.
std::expected<Annotation, Diagnostic> ReadBlock(std::span<const Comment> block) {
  const std::span<const Comment> lines = block.subspan(1);
  std::string yaml;
  for (const Comment& line : lines) {
    yaml += line.text.starts_with(' ') ? std::string_view(line.text).substr(1) : line.text;
    yaml += '\n';
  }
  auto fail = [&](const Location& location, std::string message) {
    return std::unexpected(Diagnostic{"rego_parse_error", std::move(message), location, {}});
  };
  if (yaml.find_first_not_of(kBlanks) == std::string::npos) {
    return fail(block.front().location, "expected METADATA block, found whitespace");
  }
  auto annotation = DecodeAnnotation(yaml);
  if (!annotation) {
    AnnotationFault& fault = annotation.error();
    if (fault.line < 0) {
      return fail(block.front().location, std::move(fault.message));
    }
    for (const Comment& line : lines) {
      fault.message += HintAt(line);
    }
    const std::size_t at = std::min(static_cast<std::size_t>(fault.line), lines.size() - 1);
    return fail(lines[at].location, std::move(fault.message));
  }
  annotation->location = block.front().location;
  return std::move(*annotation);
}

// What a statement is that an annotation may stand above.
struct Target {
  std::uint32_t row = 0;
  std::string_view kind;  // OPA's name of it; empty: nothing.
  const Rule* rule = nullptr;
};

std::vector<Target> TargetsOf(const Module& module) {
  std::vector<Target> targets = {{module.package_location.row, "package", nullptr}};
  for (const Import& import : module.imports) {
    targets.push_back({import.location.row, "import", nullptr});
  }
  for (const std::unique_ptr<Rule>& rule : module.rules) {
    targets.push_back({rule->location.row, "rule", rule.get()});
  }
  std::ranges::stable_sort(targets, {}, &Target::row);
  return targets;
}

std::string_view DefaultScope(const Annotation& annotation, const Target& target) {
  return target.kind == "rule" && annotation.entrypoint ? "document" : target.kind;
}

std::optional<std::string> Refusal(const Annotation& annotation, const Target& target) {
  const std::string& scope = annotation.scope;
  const bool of_rule = scope == "rule" || scope == "document";
  if (!of_rule && scope != "package" && scope != "subpackages") {
    return "invalid annotation scope '" + scope +
           "'. Use one of 'rule', 'document', 'package', or 'subpackages'";
  }
  const std::string_view want = of_rule ? "rule" : "package";
  if (target.kind == want) {
    return std::nullopt;
  }
  std::string refusal = "annotation scope '" + scope + "' must be applied to " + std::string(want);
  if (!target.kind.empty()) {
    refusal += " (have " + std::string(target.kind) + ")";
  }
  return refusal;
}

}  // namespace

std::vector<Annotation> ReadAnnotations(const std::vector<Comment>& comments,
                                        std::vector<Diagnostic>& errors) {
  std::vector<Annotation> annotations;
  for (std::size_t i = 0; i < comments.size(); ++i) {
    if (!IsStart(comments[i])) {
      continue;
    }
    std::size_t end = i + 1;
    while (end < comments.size() && !EndsBlock(comments[end], comments[end - 1])) {
      ++end;
    }
    auto annotation = ReadBlock(std::span(comments).subspan(i, end - i));
    if (annotation) {
      annotations.push_back(std::move(*annotation));
    } else {
      errors.push_back(std::move(annotation.error()));
    }
  }
  return annotations;
}

void AttachAnnotations(Module& module, std::vector<Diagnostic>& errors) {
  if (module.annotations.empty()) {
    return;
  }
  const std::vector<Target> targets = TargetsOf(module);
  for (Annotation& annotation : module.annotations) {
    const auto below = std::ranges::upper_bound(targets, annotation.location.row, {}, &Target::row);
    const Target target = below == targets.end() ? Target() : *below;
    annotation.rule = target.rule;
    if (annotation.scope.empty()) {
      annotation.scope = DefaultScope(annotation, target);
    }
    auto fail = [&](std::string message) {
      errors.push_back({"rego_parse_error", std::move(message), annotation.location, {}});
    };
    if (auto refusal = Refusal(annotation, target)) {
      fail(std::move(*refusal));
    }
    if (annotation.entrypoint && annotation.scope != "document" && annotation.scope != "package") {
      fail("annotation entrypoint applied to non-document or package scope '" + annotation.scope +
           "'");
    }
  }
}

}  // namespace portcullis::rego
