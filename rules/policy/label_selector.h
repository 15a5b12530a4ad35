// metav1.LabelSelector: matchLabels and matchExpressions, all of which must hold.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "document/value.h"

namespace portcullis::policy {

// THREADS: may be read in parallel.
class LabelSelector {
 public:
  // `path` names the field in errors. ERRORS: kInvalidArgument with Kubernetes' text: what it would refuse.
  static Result<LabelSelector> Parse(const document::Value& selector, std::string_view path);

  // What labels.Selector says of the first requirement that it refuses; empty: it refuses none.
  // SOURCE: k8s.io/apimachinery/pkg/labels, NewRequirement.
  [[nodiscard]] static std::string Complaint(const document::Value& selector);

  // `labels` is a metadata.labels; one that is not an object of strings counts as empty.
  [[nodiscard]] bool Matches(const document::Value& labels) const;

 private:
  enum class Operator : std::uint8_t { kIn, kNotIn, kExists, kDoesNotExist };
  struct Requirement {
    std::string key;
    Operator op = Operator::kIn;
    std::vector<std::string> values;
  };

  void ParseLabels(const document::Value& labels, const std::string& path,
                   std::vector<std::string>* problems);
  void ParseExpression(const document::Value& expression, const std::string& path,
                       std::vector<std::string>* problems);

  std::vector<Requirement> requirements_;
};

}  // namespace portcullis::policy
