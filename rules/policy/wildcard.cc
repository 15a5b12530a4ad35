#include "rules/policy/wildcard.h"

namespace portcullis::policy {

Wildcard::Wildcard(std::string_view pattern) {
  const bool front = pattern.starts_with('*');
  const bool back = pattern.ends_with('*');
  if (front && back) {
    form_ = Form::kContains;
  } else if (front) {
    form_ = Form::kSuffix;
  } else if (back) {
    form_ = Form::kPrefix;
  }
  if (front) {
    pattern.remove_prefix(1);
  }
  if (back && !pattern.empty()) {
    pattern.remove_suffix(1);
  }
  text_ = std::string(pattern);
}

bool Wildcard::Matches(std::string_view candidate) const {
  switch (form_) {
    case Form::kExact:
      return candidate == text_;
    case Form::kPrefix:
      return candidate.starts_with(text_);
    case Form::kSuffix:
      return candidate.ends_with(text_);
    case Form::kContains:
      return candidate.find(text_) != std::string_view::npos;
  }
  return false;
}

bool Wildcard::MatchesGenerateName(std::string_view prefix) const {
  return (form_ == Form::kPrefix || form_ == Form::kContains) && Matches(prefix);
}

}  // namespace portcullis::policy
