// Annotations: comments that begin with METADATA and hold YAML about the package or rule below them.
// SOURCE: OPA's "Annotations" (policy-language).

#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "rules/rego/ast.h"
#include "rules/rego/compile.h"

namespace portcullis::rego {

// The blocks among the comments of a text, not attached to anything yet.
[[nodiscard]] std::vector<Annotation> ReadAnnotations(const std::vector<Comment>& comments,
                                                      std::vector<Diagnostic>& errors);

// What each annotation of the module stands above; its scope where it names none.
void AttachAnnotations(Module& module, std::vector<Diagnostic>& errors);

// The YAML of one block. ERRORS: the message, and the number of its line that is at fault (0: the first), or -1: the block as
// a whole.
struct AnnotationFault {
  std::string message;
  int line = -1;
};
[[nodiscard]] std::expected<Annotation, AnnotationFault> DecodeAnnotation(std::string_view yaml);

// One term of a text. ERRORS: OPA's text.
[[nodiscard]] std::expected<TermPtr, std::string> ParseOneTerm(const std::string& text);

}  // namespace portcullis::rego
